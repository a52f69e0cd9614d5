import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AnyKernel,
  type MaskOptions,
  mapNamed,
  maskImages,
  maskImagesLast,
  numpyRandom,
  type Tensor,
  uniformTensor,
  webgpuEngine,
} from '../src/index.ts';
import { portionsOf } from '../src/kernels/mask-program.ts';
import { errorOf, referenceOf } from './support/agreement.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

const side = (max: number) => fc.integer({ min: 1, max });
const drawn = fc.record({
  size: fc.tuple(side(70), side(70)),
  map: fc.tuple(side(9), side(9)),
  options: fc.record({
    resize: fc.constantFrom('half-pixel', 'corner-aligned'),
    normalise: fc.constantFrom('after-resize', 'before-resize'),
    epsilon: fc.constantFrom(0, 0.25),
  }),
  seed: fc.nat(),
});

/** Whole numbers: of two that nearly agree, rounding would be stretched to a mask in any program. */
const wholes = ({ data, shape }: Tensor): Tensor => ({ data: data.map(Math.floor), shape });

test('a variant is shared by as many workgroups as pay', () => {
  const portions = [49, 196, 784, 3136, 12_544].map((map) => portionsOf(224 * 224, map, true));
  expect(portions).toEqual([16, 16, 4, 1, 1]);
  expect(portionsOf(1, 1, false)).toBe(1);
  expect(portionsOf(224 * 224, 3136, false)).toBe(4);
});

describeGpu('masks of images larger than activations', ({ open }) => {
  const shared = sharedDevice(open);

  test.each([
    ['channels first', maskImages, [1, 3] as const],
    ['channels last', maskImagesLast, [1, 4] as const],
  ])('are stretched by the extremes of all pixels, with %s', async (_, kernel: AnyKernel, [, channels]) => {
    using engine = webgpuEngine(shared.device);
    await fc.assert(
      fc.asyncProperty(drawn, async ({ size, map, options, seed }) => {
        const random = numpyRandom(seed);
        const shape = channels === 3 ? [1, 3, ...size] : [1, ...size, 4];
        const inputs = {
          image: uniformTensor(random, shape, 1, 2),
          activations: wholes(uniformTensor(random, [3, ...map], 0, 8)),
        };
        const uploaded = mapNamed(kernel.inputs as readonly string[], (name) => engine.upload(inputs[name as 'image']));
        const actual = await engine.download(engine.run(kernel, uploaded, options as MaskOptions));
        expect(errorOf(kernel, actual, referenceOf(kernel, inputs, options))).toBeLessThan(1e-11);
        const largest = actual.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        expect(largest).toBeLessThan(2 + 1e-5); // masks are at most 1, but for rounding
      }),
      { seed: 29, numRuns: 60 },
    );
  });
});
