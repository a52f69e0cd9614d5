import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { numpyRandom, uniformTensor } from '../src/index.ts';

// Expected numbers: NumPy's legacy generator (spec 0.6).
describe('numpyRandom', () => {
  test('integers are those of numpy.random.randint', () => {
    const random = numpyRandom(42);
    const draws = Array.from({ length: 10 }, () => random.integer(0, 9));
    expect(draws).toEqual([6, 3, 7, 4, 6, 2, 6, 7, 4, 3]);
  });

  test('uniform numbers are those of numpy.random.uniform', () => {
    const random = numpyRandom(7);
    for (const expected of [0.07630829, 0.77991879, 0.43840923]) expect(random.uniform()).toBeCloseTo(expected, 8);
  });

  test('a permutation is that of numpy.random.permutation', () => {
    expect([...numpyRandom(7).permutation(1000).slice(0, 5)]).toEqual([778, 334, 271, 802, 216]);
  });

  test('normal numbers are those of numpy.random.randn, pairs in their order', () => {
    const random = numpyRandom(7);
    for (const expected of [1.6905257, -0.46593737, 0.03282016, 0.40751628, -0.78892303]) {
      expect(random.normal()).toBeCloseTo(expected, 8);
    }
  });

  test('an interval of one number draws nothing', () => {
    const [plain, interrupted] = [numpyRandom(3), numpyRandom(3)];
    expect(interrupted.interval(0)).toBe(0);
    expect(interrupted.uniform()).toBe(plain.uniform());
  });

  test('an interval reaches both of its ends, also at the largest', () => {
    const random = numpyRandom(1);
    const draws = new Set(Array.from({ length: 200 }, () => random.interval(4)));
    expect([...draws].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(random.interval(2 ** 32 - 1)).toBeGreaterThanOrEqual(0);
  });

  test('equal seeds give equal streams, also seeds above 2³¹', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const [a, b] = [numpyRandom(seed), numpyRandom(seed)];
        expect([a.uniform(), a.normal(), a.integer(-5, 5)]).toEqual([b.uniform(), b.normal(), b.integer(-5, 5)]);
      }),
      { numRuns: 20 },
    );
  });

  test('a permutation holds every index once', () => {
    for (const count of [0, 1, 2, 100]) {
      const sorted = [...numpyRandom(5).permutation(count)].sort((a, b) => a - b);
      expect(sorted).toEqual(Array.from({ length: count }, (_, index) => index));
    }
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN])('seed %d is refused', (seed) => {
    expect(() => numpyRandom(seed)).toThrow(/numpyRandom expected a seed/);
  });

  test('a range without a whole number is refused', () => {
    expect(() => numpyRandom(0).integer(3, 3)).toThrow(RangeError);
  });
});

test('uniformTensor draws in row-major order within its bounds', () => {
  const [random, again] = [numpyRandom(7), numpyRandom(7)];
  const { data, shape } = uniformTensor(random, [2, 3], 2, 4);
  expect(shape).toEqual([2, 3]);
  expect([...data]).toEqual(Array.from({ length: 6 }, () => Math.fround(again.uniformBetween(2, 4))));
});
