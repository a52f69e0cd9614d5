import { tensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { compose, enlarge } from '../src/render/canvas.ts';
import { colormaps, colourIndex } from '../src/render/colormap.ts';
import { overlay } from '../src/render/overlay.ts';
import { table } from '../src/render/table.ts';

const colour = (name: keyof typeof colormaps, value: number) => {
  const index = colourIndex(value);
  return [...colormaps[name].subarray(index, index + 3)];
};

test('viridis runs from dark violet to yellow', () => {
  expect(colour('viridis', 0)).toEqual([0x44, 0x01, 0x54]);
  expect(colour('viridis', 1)).toEqual([0xfd, 0xe7, 0x25]);
});

test('turbo runs from near black over green to dark red', () => {
  expect(colour('turbo', 0)).toEqual([35, 23, 27]);
  expect(colour('turbo', 0.5)[1]).toBeGreaterThan(240);
  expect(colour('turbo', 1)).toEqual([144, 12, 0]);
});

test('jet is half blue at 0, green in the middle and half red at 1', () => {
  expect(colour('jet', 0)).toEqual([0, 0, 128]);
  expect(colour('jet', 64 / 255)).toEqual([0, 129, 255]); // 255·(4t − 0.5) = 128.5 for green
  expect(colour('jet', 127 / 255)).toEqual([126, 255, 130]); // 255·(4t − 1.5) = 125.5 and 255·(2.5 − 4t) = 129.5
  expect(colour('jet', 1)).toEqual([128, 0, 0]);
});

test('values outside 0 to 1 take the nearest end, NaN the lower one', () => {
  expect([-1, 2, Number.NaN, 0.5].map(colourIndex)).toEqual([0, 765, 0, 384]);
});

test('an overlay is (1 − alpha)·image + alpha·colour, rounded', () => {
  const image = { data: Uint8Array.from([100, 100, 100, 10, 20, 31]), size: [1, 2] as const };
  const map = tensor([0, 1], [1, 2]);
  const blend = (alpha: number) => [...overlay({ image, map, colours: colormaps.jet, alpha }).data];
  expect(blend(0)).toEqual([100, 100, 100, 10, 20, 31]);
  expect(blend(1)).toEqual([0, 0, 128, 128, 0, 0]);
  expect(blend(0.25)).toEqual([75, 75, 107, 40, 15, 23]); // 0.75·31 = 23.25, 0.75·10 + 32 = 39.5
});

test('a map of another size than its image is refused', () => {
  const image = { data: new Uint8Array(6), size: [1, 2] as const };
  expect(() => overlay({ image, map: tensor([0, 1], [2, 1]), colours: colormaps.jet, alpha: 0.5 })).toThrow(
    'expected a map of 1×2, got 2×1',
  );
});

test('pixels are enlarged in squares and put where they belong', () => {
  const red = { data: Uint8Array.from([255, 0, 0, 0, 0, 0]), size: [1, 2] as const };
  const large = enlarge(red, 2);
  expect(large.size).toEqual([2, 4]);
  expect([...large.data.subarray(0, 12)]).toEqual([255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
  const canvas = compose(2, 3, [{ pixels: red, left: 1, top: 1 }]);
  expect([...canvas.data.subarray(9)]).toEqual([255, 255, 255, 255, 0, 0, 0, 0, 0]);
  expect([...canvas.data.subarray(0, 9)]).toEqual(Array(9).fill(255));
});

test('a table lines up words to the left and numbers to the right', () => {
  expect(
    table(
      ['name', 'share'],
      [
        ['a', '5.0 %'],
        ['longer', '98.4 %'],
      ],
    ),
  ).toEqual(['name     share', '──────  ──────', 'a        5.0 %', 'longer  98.4 %']);
});
