import { ShapeError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { uniformTensor } from '../random.ts';
import { requireRank, show, workgroupsFor } from './shapes.ts';

export interface MatmulOptions {
  /** `left` is given as k×m. False unless said. */
  readonly transposeLeft?: boolean;
  /** `right` is given as n×k. False unless said. */
  readonly transposeRight?: boolean;
}

/** Sums of so many products are shared by lanes: a lane by itself would wait for memory at every fourth. */
const LONG = 256;
const LANES = 16;

/**
 * The product of two matrices.
 *
 *     left m×k, right k×n  →  m×n
 *
 * @throws ShapeError when an input is not a matrix or the inner lengths differ
 */
export const matmul: Kernel<
  'left' | 'right',
  'count' | 'inner' | 'columns' | 'leftRow' | 'leftStep' | 'rightStep' | 'rightColumn' | 'lanes',
  MatmulOptions
> = {
  name: 'matmul',
  inputs: ['left', 'right'],
  uniforms: {
    count: 'u32',
    inner: 'u32',
    columns: 'u32',
    leftRow: 'u32',
    leftStep: 'u32',
    rightStep: 'u32',
    rightColumn: 'u32',
    lanes: 'u32',
  },
  plan({ left, right }, { transposeLeft = false, transposeRight = false }) {
    requireRank('matmul', 'a left matrix', left, 'rows×columns');
    requireRank('matmul', 'a right matrix', right, 'rows×columns');
    const [rows, inner] = transposeLeft ? [left[1], left[0]] : left;
    const [innerRight, columns] = transposeRight ? [right[1], right[0]] : right;
    if (inner !== innerRight) {
      throw new ShapeError('matmul', `a right matrix with inner length ${inner} to fit ${show(left)}`, show(right));
    }
    const [leftRow, leftStep] = transposeLeft ? [1, rows] : [inner, 1];
    const [rightStep, rightColumn] = transposeRight ? [1, inner] : [columns, 1];
    const count = rows * columns;
    const lanes = inner < LONG ? 1 : LANES;
    return {
      output: [rows, columns],
      uniforms: { count, inner, columns, leftRow, leftStep, rightStep, rightColumn, lanes },
      workgroups: workgroupsFor(count * lanes),
    };
  },
  rows: (_, { transposeLeft = false }) => (transposeLeft ? [] : ['left']),
  reference({ left, right }, { count, inner, columns, leftRow, leftStep, rightStep, rightColumn }, output) {
    for (let index = 0; index < count; index++) {
      const row = Math.floor(index / columns);
      const column = index % columns;
      let sum = 0;
      for (let k = 0; k < inner; k++) {
        sum += left[row * leftRow + k * leftStep] * right[k * rightStep + column * rightColumn];
      }
      output[index] = sum;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms {
      count: u32,                          // rows × columns of the output
      inner: u32, columns: u32,
      leftRow: u32, leftStep: u32,         // steps in left to the next row, along the inner axis
      rightStep: u32, rightColumn: u32,    // steps in right along the inner axis, to the next column
      lanes: u32,                          // that sum up one number, a divisor of 64
    }
    @group(0) @binding(0) var<storage, read> left: array<f32>;
    @group(0) @binding(1) var<storage, read> right: array<f32>;
    @group(0) @binding(2) var<storage, read_write> output: array<f32>;  // rows × columns
    @group(0) @binding(3) var<uniform> u: Uniforms;

    var<workgroup> parts: array<f32, 64>;

    @compute @workgroup_size(64)
    fn main(
      @builtin(global_invocation_id) id: vec3u,
      @builtin(num_workgroups) groups: vec3u,
      @builtin(local_invocation_index) lane: u32,
    ) {
      let place = id.x + id.y * (groups.x * 64u);
      let index = place / u.lanes;
      let part = place % u.lanes; // of the lanes that sum up one number, each takes every so many fours
      let isWithin = index < u.count;
      let row = index / u.columns;
      let column = index % u.columns;
      let l = row * u.leftRow;
      let r = column * u.rightColumn;
      var sums = vec4f(); // four sums, so that none waits for the one before
      let whole = select(0u, u.inner / 4u, isWithin);
      for (var four = part; four < whole; four += u.lanes) {
        let a = l + 4u * four * u.leftStep;
        let b = r + 4u * four * u.rightStep;
        sums = fma(
          vec4f(left[a], left[a + u.leftStep], left[a + 2u * u.leftStep], left[a + 3u * u.leftStep]),
          vec4f(right[b], right[b + u.rightStep], right[b + 2u * u.rightStep], right[b + 3u * u.rightStep]),
          sums,
        );
      }
      if (isWithin && part == 0u) {
        for (var k = 4u * whole; k < u.inner; k++) {
          sums.x = fma(left[l + k * u.leftStep], right[r + k * u.rightStep], sums.x);
        }
      }
      parts[lane] = sums.x + sums.y + sums.z + sums.w;
      workgroupBarrier(); // all parts are written
      if (!isWithin || part != 0u) { return; }
      var sum = parts[lane];
      for (var other = 1u; other < u.lanes; other++) { sum += parts[lane + other]; }
      output[index] = sum;
    }`,
  onnx(trace, { inputs: { left, right }, options: { transposeLeft = false, transposeRight = false } }) {
    if (!transposeLeft && !transposeRight) return trace.node('MatMul', [left, right]);
    const attributes = { transA: { int: Number(transposeLeft) }, transB: { int: Number(transposeRight) } };
    // Gemm's third input, which is added, may be left out from opset 11
    const inputs = trace.opset >= 11 ? [left, right] : [left, right, trace.floats([0])];
    return trace.node('Gemm', inputs, attributes);
  },
  samples: (random) => [
    [{ left: uniformTensor(random, [3, 5]), right: uniformTensor(random, [5, 4]) }, {}],
    [{ left: uniformTensor(random, [3, 301]), right: uniformTensor(random, [6, 301]) }, { transposeRight: true }],
    [{ left: uniformTensor(random, [3, 70]), right: uniformTensor(random, [6, 70]) }, { transposeRight: true }],
    [{ left: uniformTensor(random, [5, 3]), right: uniformTensor(random, [5, 4]) }, { transposeLeft: true }],
    [
      { left: uniformTensor(random, [5, 3]), right: uniformTensor(random, [4, 5]) },
      { transposeLeft: true, transposeRight: true },
    ],
  ],
};
