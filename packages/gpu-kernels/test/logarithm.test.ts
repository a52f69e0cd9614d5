import { expect, test } from 'vitest';
import { numpyRandom } from '../src/index.ts';
import { logarithm } from '../src/logarithm.ts';

const random = numpyRandom(1);
const samples = [
  ...Array.from({ length: 100_000 }, () => random.uniform()),
  ...Array.from({ length: 1000 }, (_, step) => 1 - (step + 1) * 2 ** -24), // both sides of |f| = 2⁻²⁰
  ...Array.from({ length: 1000 }, (_, step) => 2 ** -(step / 10) * (1 + (step % 7) * 2 ** -23)), // near powers of two
  ...Array.from({ length: 1000 }, (_, step) => Math.SQRT1_2 * (1 + (step - 500) * 2 ** -20)),
  1,
  2 ** -104,
].filter((x) => x > 0);

test("a logarithm is within a unit in the last place of the machine's", () => {
  for (const x of samples) {
    const expected = Math.log(x);
    expect(Math.abs(logarithm(x) - expected)).toBeLessThanOrEqual(Number.EPSILON * Math.abs(expected));
  }
});

test.skipIf(!process.versions.v8)('on V8, whose logarithm is this one, it is the same number', () => {
  expect(samples.filter((x) => logarithm(x) !== Math.log(x))).toEqual([]);
});
