import { expect, test } from 'vitest';
import {
  compute,
  type MaskOptions,
  maskImages,
  minMax,
  numpyRandom,
  tensor,
  uniformTensor,
  webgpuEngine,
} from '../src/index.ts';
import { normalisedError } from './support/agreement.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

// Workgroup memory begins as zeros: where invocations do not wait for each other, those show among numbers that are all on one
// side of 0.
describeGpu('extremes that invocations find together', ({ open }) => {
  const shared = sharedDevice(open);

  test.each([
    ['above', 1, 2],
    ['below', -2, -1],
  ])('are those of the map where all numbers are %s 0', async (_, low, high) => {
    using engine = webgpuEngine(shared.device);
    const maps = uniformTensor(numpyRandom(3), [3, 17, 19], low, high);
    const image = uniformTensor(numpyRandom(4), [1, 2, 11, 13]);
    const stretched = engine.run(minMax, { input: engine.upload(maps) }, { epsilon: 0 });
    const expected = compute(minMax, { input: maps }, { epsilon: 0 });
    expect(normalisedError((await engine.download(stretched)).data, expected.data)).toBeLessThan(1e-7);
    for (const normalise of ['after-resize', 'before-resize'] as const) {
      const options: MaskOptions = { resize: 'half-pixel', normalise, epsilon: 0 };
      const inputs = { image: engine.upload(image), activations: engine.upload(maps) };
      const masked = await engine.download(engine.run(maskImages, inputs, options));
      const wanted = compute(maskImages, { image, activations: maps }, options);
      expect(normalisedError(masked.data, wanted.data)).toBeLessThan(1e-7);
    }
  });

  test('a mask is 0 where resizing leaves nothing but a constant of what was none', async () => {
    using engine = webgpuEngine(shared.device);
    const image = tensor([1, 2], [1, 2, 1, 1]);
    const activations = tensor([0, 5, 1, 2, 2, 2], [2, 3, 1]); // the one pixel of the mask is the middle one
    for (const normalise of ['after-resize', 'before-resize'] as const) {
      const options: MaskOptions = { resize: 'half-pixel', normalise, epsilon: 0 };
      const inputs = { image: engine.upload(image), activations: engine.upload(activations) };
      const masked = await engine.download(engine.run(maskImages, inputs, options));
      expect([...masked.data]).toEqual(normalise === 'after-resize' ? [0, 0, 0, 0] : [1, 2, 0, 0]);
      expect(masked).toEqual(compute(maskImages, { image, activations }, options));
    }
  });
});
