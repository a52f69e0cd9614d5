import { type MaskLastUniform, maskImagesLast, planMasksLast } from '../channels-last/mask-images-last.ts';
import type { Kernel } from '../kernel.ts';
import type { MaskOptions } from '../kernels/mask-images.ts';
import { maskProgram } from '../kernels/mask-program.ts';
import { uniformTensor } from '../random.ts';
import { boundedHalves, HALF_ROUNDING, halvedShape, writeHalves } from './half.ts';

/**
 * `maskImagesLast` of a float32 image, rounded to halves.
 *
 *     image 1×H×W×C₄, activations n×h×w  →  n×H×W×C₄/2 words
 *
 * @throws ShapeError when the image is not one image with channels last or the activations are not maps
 */
export const maskImagesHalf: Kernel<'image' | 'activations', MaskLastUniform, MaskOptions> = {
  name: 'maskImagesHalf',
  inputs: ['image', 'activations'],
  halves: ['output'],
  tolerance: HALF_ROUNDING,
  uniforms: maskImagesLast.uniforms,
  plan(shapes, options) {
    const plan = planMasksLast('maskImagesHalf', shapes, options);
    return { ...plan, output: halvedShape(plan.output) };
  },
  rows: () => ['activations'],
  reference(inputs, u, output) {
    const numbers = new Float32Array(2 * output.length);
    maskImagesLast.reference(inputs, u, numbers);
    writeHalves(boundedHalves(numbers), output);
  },
  wgsl: maskProgram('half'),
  samples: (random) => {
    const activations = uniformTensor(random, [5, 3, 4], -0.5, 1);
    const inputs = { image: uniformTensor(random, [1, 7, 10, 4], -2, 2), activations };
    return [[inputs, { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 }]];
  },
};
