import type { Kernel } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf, tensor } from '../tensor.ts';
import { workgroupsFor } from './shapes.ts';
import { variantAxes } from './variants.ts';

/**
 * Variants of an image that are moved sideways.
 *
 *     image 1×C×H×W, fill 1×C×H×W, shifts n×1  →  n×C×H×W
 *
 * Shifts are whole numbers of columns, to the right where positive. Columns that the image has left get the value of
 * `fill` at their own place; at |shift| ≥ W that is all of them.
 *
 * @throws ShapeError when the image is not one image, or fill or shifts do not fit
 * @source spec 2.2, step 3
 */
export const translate: Kernel<'image' | 'fill' | 'shifts', 'count' | 'features' | 'width'> = {
  name: 'translate',
  inputs: ['image', 'fill', 'shifts'],
  uniforms: { count: 'u32', features: 'u32', width: 'u32' },
  plan({ image, fill, shifts }) {
    const rows = { what: 'shifts', shape: shifts, columns: 1 };
    const { variants, channels, height, width } = variantAxes('translate', { image, fill }, rows);
    const output = [variants, channels, height, width];
    const features = channels * height * width;
    return { output, uniforms: { count: sizeOf(output), features, width }, workgroups: workgroupsFor(sizeOf(output)) };
  },
  rows: () => ['shifts'],
  reference({ image, fill, shifts }, { count, features, width }, output) {
    for (let index = 0; index < count; index++) {
      const feature = index % features;
      const shift = shifts[Math.floor(index / features)];
      const column = (index % width) - shift; // where the number comes from
      output[index] = column >= 0 && column < width ? image[feature - shift] : fill[feature];
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, features: u32, width: u32 }
    @group(0) @binding(0) var<storage, read> image: array<f32>;         // features, that is channels × height × width
    @group(0) @binding(1) var<storage, read> fill: array<f32>;          // features
    @group(0) @binding(2) var<storage, read> shifts: array<f32>;        // variants
    @group(0) @binding(3) var<storage, read_write> output: array<f32>;  // variants × features
    @group(0) @binding(4) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let feature = index % u.features;
      let shift = i32(shifts[index / u.features]);
      let column = i32(index % u.width) - shift; // where the number comes from
      if (column >= 0 && column < i32(u.width)) {
        output[index] = image[i32(feature) - shift];
      } else {
        output[index] = fill[feature];
      }
    }`,
  onnx(trace, { inputs, shapes }) {
    const moves = traceMoves(trace, inputs.shifts, shapes.image[3]);
    const moved = trace.node('MatMul', [inputs.image, moves]); // 0 in the columns that the image has left
    const left = trace.node('Sub', [trace.floats([1], []), trace.reduce('ReduceSum', moves, [2])]);
    return trace.node('Add', [moved, trace.node('Mul', [inputs.fill, left])]);
  },
  samples: (random) => [
    [
      {
        image: uniformTensor(random, [1, 3, 4, 7], -2, 2),
        fill: uniformTensor(random, [1, 3, 4, 7], 3, 5),
        shifts: tensor([0, 1, -1, 6, -6, 7, -7, 9], [8, 1]),
      },
      undefined,
    ],
  ],
};

/** n×1×W×W: 1 where the second column takes its number from the first, for no operator shifts each row by its own. */
function traceMoves(trace: OnnxTrace, shifts: string, width: number): string {
  const distances = Array.from({ length: width * width }, (_, at) => (at % width) - Math.floor(at / width));
  const rest = trace.node('Sub', [trace.floats(distances, [1, 1, width, width]), trace.reshape(shifts, [0, 1, 1, 1])]);
  return trace.node('Sub', [trace.floats([1], []), trace.nonZero(rest)]);
}
