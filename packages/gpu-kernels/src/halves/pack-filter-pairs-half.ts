import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { requireRank, show, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { HALF_ROUNDING, writeHalves } from './half.ts';

/** How many pairs of columns hold a row of a filter, with a column of zeros before it where it begins at an odd one. */
export function pairsOf(width: number, isOdd: boolean): number {
  return Math.ceil((width + Number(isOdd)) / 2);
}

type PackFilterPairs = Kernel<'weights', 'count' | 'filters' | 'channels' | 'height' | 'width' | 'pairs' | 'before'>;

/**
 * Lay the weights of a convolution of at most four channels out as `inPairs` multiplies with them: a row for each filter, in half
 * precision, two neighbouring columns as one of eight channels; `Odd` with a column of zeros before them.
 *
 *     O×I×h×w  →  O₄×(h·p·8)/2 words, p pairs of columns
 *
 * @throws ShapeError when the weights have not four axes, or more than four channels
 */
export const packFilterPairsOddHalf: PackFilterPairs = packing('packFilterPairsOddHalf', true);
export const packFilterPairsEvenHalf: PackFilterPairs = packing('packFilterPairsEvenHalf', false);

function packing(name: string, isOdd: boolean): PackFilterPairs {
  return {
    name,
    inputs: ['weights'],
    halves: ['output'],
    tolerance: HALF_ROUNDING,
    uniforms: {
      count: 'u32',
      filters: 'u32',
      channels: 'u32',
      height: 'u32',
      width: 'u32',
      pairs: 'u32',
      before: 'u32',
    },
    plan({ weights }) {
      requireRank(name, 'weights', weights, 'filters×channels×height×width');
      const [filters, channels, height, width] = weights;
      if (channels > 4) throw new ShapeError(name, 'weights of at most four channels', show(weights));
      const pairs = pairsOf(width, isOdd);
      const output = [4 * Math.ceil(filters / 4), height * pairs * 4];
      const count = sizeOf(output);
      const uniforms = { count, filters, channels, height, width, pairs, before: Number(isOdd) };
      return { output, uniforms, workgroups: workgroupsFor(count) };
    },
    reference({ weights }, { count, filters, channels, height, width, pairs, before }, output) {
      const numbers = new Float32Array(2 * count);
      for (let filter = 0; filter < filters; filter++) {
        for (let channel = 0; channel < channels; channel++) {
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              const at = ((filter * height + y) * pairs * 2 + x + before) * 4 + channel;
              numbers[at] = weights[((filter * channels + channel) * height + y) * width + x];
            }
          }
        }
      }
      writeHalves(numbers, output);
    },
    wgsl: /* wgsl */ `
      struct Uniforms {
        count: u32, filters: u32, channels: u32, height: u32, width: u32,
        pairs: u32,                                                       // of columns, that hold a row of a filter
        before: u32,                                                      // columns of zeros before it
      }
      @group(0) @binding(0) var<storage, read> weights: array<f32>;       // filters × channels × height × width
      @group(0) @binding(1) var<storage, read_write> output: array<u32>;  // filters × height × pairs × 4
      @group(0) @binding(2) var<uniform> u: Uniforms;

      fn weightAt(row: u32, channel: u32, x: u32) -> f32 {
        if (row >= u.filters * u.height || channel >= u.channels || x >= u.width) { return 0.0; } // below 0 is far above as u32
        let filter_index = row / u.height;
        return weights[((filter_index * u.channels + channel) * u.height + row % u.height) * u.width + x];
      }

      @compute @workgroup_size(64)
      fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
        let index = id.x + id.y * (groups.x * 64u);
        if (index >= u.count) { return; }
        let row = index / (4u * u.pairs); // of a filter, counted through the filters
        let x = index / 2u % (2u * u.pairs) - u.before;
        let channel = 2u * (index % 2u);
        output[index] = pack2x16float(vec2f(weightAt(row, channel, x), weightAt(row, channel + 1u, x)));
      }`,
    samples: (random) => [
      [{ weights: uniformTensor(random, [5, 3, 2, 7]) }, undefined],
      [{ weights: uniformTensor(random, [8, 4, 3, 3]) }, undefined],
    ],
  };
}
