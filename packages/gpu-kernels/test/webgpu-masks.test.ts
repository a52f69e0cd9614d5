import { expect, test } from 'vitest';
import { maskImages, numpyRandom, tensor, uniformTensor, webgpuEngine } from '../src/index.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

describeGpu('maskImages on a GPU', ({ open }) => {
  const shared = sharedDevice(open);

  test('a constant activation hides the whole image, though resizing it is rounded', async () => {
    using engine = webgpuEngine(shared.device);
    const random = numpyRandom(6);
    const image = engine.upload(uniformTensor(random, [1, 1, 17, 13], 1, 2));
    const constants = Array.from({ length: 40 }, () => random.uniformBetween(0.01, 3));
    const activations = tensor(
      constants.flatMap((value) => Array<number>(12).fill(value)),
      [40, 3, 4],
    );
    for (const resize of ['half-pixel', 'corner-aligned'] as const) {
      const options = { resize, normalise: 'after-resize', epsilon: 0 } as const;
      const masked = engine.run(maskImages, { image, activations: engine.upload(activations) }, options);
      expect((await engine.download(masked)).data.every((value) => value === 0)).toBe(true);
    }
  });
});
