import { mersenne } from 'pure-rand/generator/mersenne';
import { expect, test } from 'vitest';
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
  return { word, uniform, normal, permutation };
}

test('draws made by the block are those made one by one, in whatever order kinds follow each other', () => {
  const kinds = ['word', 'uniform', 'normal', 'permutation'] as const;
  for (let seed = 0; seed < 12; seed++) {
    const [blocks, single, choice] = [twister(seed), plain(seed), plain(seed + 100)];
    for (let turn = 0; turn < 600; turn++) {
      const kind = kinds[choice.word() & 3];
      const times = choice.word() & 15;
      const draw = (of: ReturnType<typeof twister>) =>
        kind === 'permutation' ? [...of.permutation(37 * times)] : Array.from({ length: times }, of[kind]);
      expect(draw(blocks)).toEqual(draw(single));
    }
  }
});
