import { tensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import { imageNet, normalisePixels } from '../src/index.ts';
import { goldenImage } from './support/golden-image.ts';

const golden = goldenSet('inputs');

describe('normalisePixels', () => {
  test.each(golden.classes)('%s is PyTorch’s tensor bit for bit', async (name) => {
    const { data } = await goldenImage(golden, name);
    const recorded = golden.arrays.find((array) => array.name === `input/${name}`);
    expect(recorded, `input/${name} is recorded`).toBeDefined();
    const { first16, strided16 } = recorded!.check;
    expect([...data.slice(0, 16)]).toEqual(first16);
    expect(strided16.map((_, k) => data[Math.floor((k * data.length) / 16)])).toEqual(strided16);
    const whole = golden.array(`input/${name}`);
    if (whole) expect(data).toEqual(whole.data); // the small set in the repository leaves it out
  });

  test('rounds to float32 at every step: 1/255 in red is −2.1007793', () => {
    const one = Math.fround(Math.fround(Math.fround(1 / 255) - Math.fround(0.485)) / Math.fround(0.229));
    const { data, shape } = normalisePixels(Uint8Array.of(1, 0, 255), [1, 1], imageNet);
    expect(shape).toEqual([1, 3, 1, 1]);
    expect(data[0]).toBe(one);
    expect(data[0]).toBeCloseTo(-2.1007793, 6);
    expect(data[2]).toBeCloseTo(2.64, 5);
  });

  test('puts channels first', () => {
    const { data } = normalisePixels(Uint8Array.of(0, 255, 255, 0), [1, 2], { mean: [0, 0], std: [1, 1] });
    expect(data).toEqual(tensor([0, 1, 1, 0], [4]).data);
  });

  test('refuses pixels that are not height × width × channels', () => {
    expect(() => normalisePixels(new Uint8Array(11), [2, 2], imageNet)).toThrow(/2×2×3 bytes/);
  });
});
