import type { Kernel, Named, Plan } from '../kernel.ts';
import { type MaskOptions, maskOf, planMasks, traceMasks } from '../kernels/mask-images.ts';
import { maskProgram } from '../kernels/mask-program.ts';
import { uniformTensor } from '../random.ts';
import type { Shape } from '../tensor.ts';
import { requireLast } from './layout.ts';

/** As those of `maskImages`, with channels in quads. */
export type MaskLastUniform =
  | 'variants'
  | 'quads'
  | 'height'
  | 'width'
  | 'mapHeight'
  | 'mapWidth'
  | 'cornerAligned'
  | 'afterResize'
  | 'epsilon'
  | 'portions';

/**
 * `maskImages` with channels last, so that what it makes is where a convolution reads it.
 *
 *     image 1×H×W×C₄, activations n×h×w  →  n×H×W×C₄
 *
 * @throws ShapeError when the image is not one image with channels last or the activations are not maps
 */
export const maskImagesLast: Kernel<'image' | 'activations', MaskLastUniform, MaskOptions> = {
  name: 'maskImagesLast',
  inputs: ['image', 'activations'],
  uniforms: {
    variants: 'u32',
    quads: 'u32',
    height: 'u32',
    width: 'u32',
    mapHeight: 'u32',
    mapWidth: 'u32',
    cornerAligned: 'u32',
    afterResize: 'u32',
    epsilon: 'f32',
    portions: 'u32',
  },
  plan: (shapes, options) => planMasksLast('maskImagesLast', shapes, options),
  rows: () => ['activations'],
  reference({ image, activations }, u, output) {
    const channels = 4 * u.quads;
    const size = u.mapHeight * u.mapWidth;
    for (let variant = 0; variant < u.variants; variant++) {
      const mask = maskOf(activations.subarray(variant * size, (variant + 1) * size), { ...u, channels });
      for (let index = 0; index < image.length; index++) {
        output[variant * image.length + index] = image[index] * mask[Math.floor(index / channels)];
      }
    }
  },
  wgsl: maskProgram('last'),
  onnx(trace, { inputs, shapes, output, options }) {
    const [batch, height, width, channels] = shapes.image;
    const image = [batch, channels, height, width];
    const masks = traceMasks(trace, { inputs, shapes: { ...shapes, image }, output, options });
    return trace.node('Mul', [inputs.image, trace.reshape(masks, [0, height, width, 1])]);
  },
  samples: (random) => {
    const activations = uniformTensor(random, [5, 3, 4], -0.5, 1);
    activations.data.fill(0.3, 12, 24); // a constant activation among others
    const inputs = { image: uniformTensor(random, [1, 7, 10, 4], -2, 2), activations };
    return [
      [inputs, { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 }],
      [inputs, { resize: 'corner-aligned', normalise: 'before-resize', epsilon: 0.125 }],
    ];
  },
};

/** `planMasks` with channels last. */
export function planMasksLast(
  where: string,
  { image, activations }: Named<'image' | 'activations', Shape>,
  options: MaskOptions,
): Plan<MaskLastUniform> {
  requireLast(where, 'an image', image);
  const [batch, height, width, padded] = image;
  const plan = planMasks(where, { image: [batch, padded, height, width], activations }, options);
  const { channels, ...uniforms } = plan.uniforms;
  return { ...plan, output: [activations[0], height, width, padded], uniforms: { ...uniforms, quads: channels / 4 } };
}
