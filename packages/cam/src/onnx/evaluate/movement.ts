import { type Shape, sizeOf } from '@cambium/gpu-kernels';
import { intOf, intsOf } from '../attributes.ts';
import { sliceRanges } from '../shapes/axes.ts';
import type { Evaluation } from './element-wise.ts';
import { broadcastStrides, type Numbers, numbersOf, picked, stridesOf, viewed, walk } from './numbers.ts';

const view: Evaluation = ([input], shape) => viewed(input, shape);

const transpose: Evaluation = ([input], shape, node) => {
  const order = intsOf(node.attributes, 'perm') ?? input.shape.map((_, axis) => input.shape.length - 1 - axis);
  const strides = stridesOf(input.shape);
  return picked(
    input,
    shape,
    walk(
      shape,
      order.map((axis) => strides[axis < 0 ? axis + order.length : axis]),
    ),
  );
};

const slice: Evaluation = ([input, ...bounds], shape, node) => {
  const inputs = [input, ...bounds].map((constant) => ({ shape: constant.shape, constant }));
  const ranges = sliceRanges(input.shape, { node, inputs, opset: 0 });
  if (!ranges) return undefined;
  const strides = stridesOf(input.shape);
  const start = ranges.reduce((sum, range, axis) => sum + range.start * strides[axis], 0);
  return picked(
    input,
    shape,
    walk(
      shape,
      ranges.map(({ step }, axis) => step * strides[axis]),
      start,
    ),
  );
};

const gather: Evaluation = ([input, indices], shape, node) => {
  const axis = intOf(node.attributes, 'axis', 0);
  const at = axis < 0 ? axis + input.shape.length : axis;
  const length = input.shape[at];
  const rows = Array.from(indices.data, (index) => (index < 0 ? index + length : index));
  if (rows.some((row) => row < 0 || row >= length)) return undefined;
  const inner = sizeOf(input.shape.slice(at + 1));
  const outer = sizeOf(input.shape.slice(0, at));
  const positions = new Int32Array(sizeOf(shape));
  for (let o = 0; o < outer; o++) {
    for (let r = 0; r < rows.length; r++) {
      for (let i = 0; i < inner; i++) positions[(o * rows.length + r) * inner + i] = (o * length + rows[r]) * inner + i;
    }
  }
  return picked(input, shape, positions);
};

const concat: Evaluation = (inputs, shape, node) => {
  const axis = intOf(node.attributes, 'axis', 1);
  const outer = sizeOf(shape.slice(0, axis < 0 ? axis + shape.length : axis));
  const blocks = Array.from({ length: outer }, (_, block) => inputs.flatMap((input) => part(input, block, outer)));
  return numbersOf(inputs[0].type, shape, blocks.flat());
};

function part(input: Numbers, block: number, count: number): number[] {
  const length = input.data.length / count;
  return Array.from(input.data.slice(block * length, (block + 1) * length));
}

const expand: Evaluation = ([input], shape) => picked(input, shape, walk(shape, broadcastStrides(input.shape, shape)));

const constantOfShape: Evaluation = (_, shape, node) => {
  const { value } = node.attributes;
  const fill = value && 'tensor' in value ? value.tensor : undefined;
  if (fill?.type === 'encoded') return undefined;
  const number = fill?.data[0] ?? 0;
  return numbersOf(
    fill?.type ?? 'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, () => number),
  );
};

/** Combines all numbers along the reduced axes; `axes` is whatever of the input's shape is missing in the output's. */
function reduce(operation: (a: number, b: number) => number): Evaluation {
  return ([input], shape) => {
    const lanes = laneOf(input.shape, shape);
    if (!lanes) return undefined;
    const sums: (number | undefined)[] = Array.from({ length: sizeOf(shape) });
    for (const [at, lane] of lanes.entries()) {
      const sum = sums[lane];
      sums[lane] = sum === undefined ? input.data[at] : operation(sum, input.data[at]);
    }
    return sums.every((sum) => sum !== undefined) ? numbersOf(input.type, shape, sums) : undefined;
  };
}

/** For each element of the input the element of the result it goes to: only where all axes or none are reduced. */
function laneOf(from: Shape, to: Shape): Int32Array | undefined {
  if (sizeOf(to) === 1) return new Int32Array(sizeOf(from));
  return sizeOf(from) === sizeOf(to) ? walk(from, stridesOf(from)) : undefined;
}

/** Operators that move, repeat, count or combine numbers that are all known. */
export const movement: readonly (readonly [string, Evaluation])[] = [
  ['Identity', view],
  ['Reshape', view],
  ['Flatten', view],
  ['Squeeze', view],
  ['Unsqueeze', view],
  ['Transpose', transpose],
  ['Slice', slice],
  ['Gather', gather],
  ['Concat', concat],
  ['Expand', expand],
  ['ConstantOfShape', constantOfShape],
  ['ReduceProd', reduce((a, b) => a * b)],
  ['ReduceSum', reduce((a, b) => a + b)],
  ['ReduceMax', reduce(Math.max)],
  ['ReduceMin', reduce(Math.min)],
];
