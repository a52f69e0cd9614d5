import { mersenne } from 'pure-rand/generator/mersenne';
import { expect, test } from 'vitest';
import { manyDraws } from '../src/many-draws.ts';
import { twister } from '../src/twister.ts';

/** The same draws one by one, from words of another implementation. */
function plain(seed: number): ReturnType<typeof twister> {
  const generator = mersenne(seed);
  const word = () => generator.next();
  const uniform = () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) * 2 ** -53;
  let kept: number | undefined;
  const normal = (): number => {
    if (kept !== undefined) {
      const second = kept;
      kept = undefined;
      return second;
    }
    for (;;) {
      const [x, y] = [2 * uniform() - 1, 2 * uniform() - 1];
      const squared = x * x + y * y;
      if (squared === 0 || squared >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(squared)) / squared);
      kept = scale * x;
      return scale * y;
    }
  };
  const permutation = (count: number) => {
    const order = Uint32Array.from({ length: count }, (_, index) => index);
    for (let place = count - 1; place > 0; place--) {
      const mask = 2 ** (32 - Math.clz32(place)) - 1;
      let other = word() & mask;
      while (other > place) other = word() & mask;
      [order[place], order[other]] = [order[other], order[place]];
    }
    return order;
  };
  const addUniform = (numbers: Float32Array, low: number, high: number) => {
    for (let index = 0; index < numbers.length; index++) numbers[index] += low + (high - low) * uniform();
  };
  const addNormal = (numbers: Float32Array, deviation: number) => {
    for (let index = 0; index < numbers.length; index++) numbers[index] += deviation * normal();
  };
  return {
    word,
    uniform,
    normal,
    permutation: (count, first = count) => permutation(count).slice(0, first),
    addUniform,
    addNormal,
  };
}

const kinds = ['word', 'uniform', 'normal', 'permutation', 'start', 'addUniform', 'addNormal', 'normal'] as const;

test.each([
  ['by WebAssembly', manyDraws()],
  ['by loops', null],
] as const)(
  'draws of many numbers %s are those made one by one, in whatever order kinds follow each other',
  (_, many) => {
    expect(manyDraws()).not.toBeNull();
    for (let seed = 0; seed < 12; seed++) {
      const [blocks, single, choice] = [twister(seed, many), plain(seed), plain(seed + 100)];
      for (let turn = 0; turn < 600; turn++) {
        const kind = kinds[choice.word() & 7];
        const times = choice.word() & 15;
        const draw = (of: ReturnType<typeof twister>) => {
          if (kind === 'permutation') return [...of.permutation(37 * times)];
          if (kind === 'start') return [...of.permutation(37 * times, times)];
          const numbers = new Float32Array(53 * times).fill(0.25);
          if (kind === 'addUniform') of.addUniform(numbers, -0.2, 0.3);
          else if (kind === 'addNormal') of.addNormal(numbers, 0.7);
          else return Array.from({ length: times }, of[kind]);
          return [...numbers];
        };
        expect(draw(blocks)).toEqual(draw(single));
      }
    }
  },
);

test('more numbers than the module has room for are drawn in portions', () => {
  const [blocks, loops] = [twister(3), twister(3, null)];
  const [many, single] = [new Float32Array(50001), new Float32Array(50001)];
  for (const [of, numbers] of [
    [blocks, many],
    [loops, single],
  ] as const) {
    of.addNormal(numbers, 0.1);
    of.addUniform(numbers, 0, 1);
    numbers[0] += of.normal();
  }
  expect(different(many, single)).toBe(-1);
  expect(different(blocks.permutation(200_000, 300), loops.permutation(200_000, 300))).toBe(-1);
  expect(different(blocks.permutation(70_000), loops.permutation(70_000))).toBe(-1);
});

/** Where two lists first differ, or −1. */
function different(left: Float32Array | Uint32Array, right: Float32Array | Uint32Array): number {
  return left.length === right.length ? left.findIndex((value, index) => value !== right[index]) : left.length;
}
