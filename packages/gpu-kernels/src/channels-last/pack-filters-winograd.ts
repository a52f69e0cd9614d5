import { requireSame, workgroupsFor } from '../kernels/shapes.ts';
import { uniformTensor } from '../random.ts';
import { sizeOf } from '../tensor.ts';
import { type PackFilters, packFilters } from './pack-filters.ts';

/** G of F(2×2, 3×3): three numbers of a filter become four. */
const G = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
] as const;

/**
 * Lays the weights of a 3×3 convolution out as the sixteen matrices that `conv2dWinograd` multiplies with.
 *
 *     O×I×3×3  →  (16·I₄)×O₄ forward,  (16·O₄)×I₄ back, the window turned by half a turn:  U = G g Gᵀ
 *
 * @throws ShapeError when the weights are not filters×channels×3×3
 * @source Lavin and Gray 2015, arXiv 1509.09308, F(2×2, 3×3)
 */
export const packFiltersWinograd: PackFilters = {
  name: 'packFiltersWinograd',
  inputs: ['weights'],
  uniforms: packFilters.uniforms,
  plan(shapes, options) {
    const plan = packFilters.plan(shapes, options);
    const { weights } = shapes;
    requireSame('packFiltersWinograd', 'weights', [weights[0], weights[1], 3, 3], weights);
    const { read, written } = plan.uniforms;
    const output = [16 * read, written];
    const count = sizeOf(output);
    return { output, uniforms: { ...plan.uniforms, count }, workgroups: workgroupsFor(count) };
  },
  reference({ weights }, u, output) {
    const size = u.read * u.written;
    const places = new Float32Array(9 * size);
    packFilters.reference({ weights }, { ...u, count: places.length }, places);
    for (let index = 0; index < u.count; index++) {
      const place = Math.floor(index / size);
      const [row, column] = [G[place >> 2], G[place & 3]];
      let sum = 0;
      for (let at = 0; at < 9; at++)
        sum += row[Math.floor(at / 3)] * column[at % 3] * places[at * size + (index % size)];
      output[index] = sum;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, filters: u32, channels: u32, places: u32, read: u32, written: u32, back: u32 }
    @group(0) @binding(0) var<storage, read> weights: array<f32>;       // filters × channels × 9
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;  // 16 × read × written
    @group(0) @binding(2) var<uniform> u: Uniforms;

    // A row of G times a column of three.
    fn transformed(row: u32, a: f32, b: f32, c: f32) -> f32 {
      if (row == 0u) { return a; }
      if (row == 3u) { return c; }
      return 0.5 * (a + select(-b, b, row == 1u) + c);
    }

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let to = index % u.written;
      let source = (index / u.written) % u.read;
      let place = index / (u.written * u.read);
      let filter_index = select(to, source, u.back == 1u);
      let channel = select(source, to, u.back == 1u);
      if (filter_index >= u.filters || channel >= u.channels) {
        output[index] = 0.0;
        return;
      }
      let first = (filter_index * u.channels + channel) * 9u;
      var columns = array<f32, 3>();
      for (var x = 0u; x < 3u; x++) {
        let top = select(first + x, first + 8u - x, u.back == 1u);
        let middle = select(first + 3u + x, first + 5u - x, u.back == 1u);
        let bottom = select(first + 6u + x, first + 2u - x, u.back == 1u);
        columns[x] = transformed(place / 4u, weights[top], weights[middle], weights[bottom]);
      }
      output[index] = transformed(place % 4u, columns[0], columns[1], columns[2]);
    }`,
  onnx(trace, call) {
    const { read, written } = packFilters.plan(call.shapes, call.options).uniforms;
    const packed = packFilters.onnx!(trace, { ...call, output: [9 * read, written] }); // packFilters has an ONNX form
    const transform = G.flatMap((row) => G.flatMap((column) => row.flatMap((a) => column.map((b) => a * b))));
    const places = trace.reshape(packed, [9, read * written]);
    return trace.reshape(trace.node('MatMul', [trace.floats(transform, [16, 9]), places]), call.output);
  },
  samples: (random) => {
    const weights = uniformTensor(random, [5, 2, 3, 3]);
    return [
      [{ weights }, { direction: 'forward' }],
      [{ weights }, { direction: 'back' }],
      [{ weights: uniformTensor(random, [4, 7, 3, 3]) }, { direction: 'forward' }],
    ];
  },
};
