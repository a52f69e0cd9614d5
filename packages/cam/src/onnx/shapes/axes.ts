import type { Shape } from '@cambium/gpu-kernels';
import { intOf, intsOf } from '../attributes.ts';
import {
  fromFirst,
  isGiven,
  listOf,
  misfit,
  numbersAt,
  positiveAxis,
  type ShapeQuery,
  type ShapeRule,
} from './rule.ts';

/** ReduceSum, ReduceMean and their like; no axes means all. */
export const reduceShape = fromFirst((shape, query) => {
  const listed = listOf(query, 'axes', 1);
  if (!listed) return undefined;
  const nothing = listed.length === 0 && intOf(query.node.attributes, 'noop_with_empty_axes', 0) === 1;
  if (nothing) return shape;
  const axes =
    listed.length === 0 ? shape.map((_, axis) => axis) : listed.map((axis) => positiveAxis(query, axis, shape.length));
  return without(shape, axes, intOf(query.node.attributes, 'keepdims', 1) === 1);
});

/** ArgMax and ArgMin. */
export const argShape = fromFirst((shape, query) => {
  const axis = positiveAxis(query, intOf(query.node.attributes, 'axis', 0), shape.length);
  return without(shape, [axis], intOf(query.node.attributes, 'keepdims', 1) === 1);
});

/** Transpose; without an order the axes are reversed. */
export const transposeShape = fromFirst((shape, query) => {
  const order = intsOf(query.node.attributes, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  if (order.length !== shape.length) throw misfit(query, `${order.length} axes`, `[${shape.join(', ')}]`);
  return order.map((axis) => shape[positiveAxis(query, axis, shape.length)]);
});

/** Squeeze; without axes all of length 1 go. */
export const squeezeShape = fromFirst((shape, query) => {
  const listed = listOf(query, 'axes', 1);
  if (!listed) return undefined;
  if (listed.length === 0) return shape.filter((length) => length !== 1);
  const axes = listed.map((axis) => positiveAxis(query, axis, shape.length));
  if (axes.some((axis) => shape[axis] !== 1))
    throw misfit(query, `length 1 along axes ${axes.join(', ')}`, `[${shape.join(', ')}]`);
  return without(shape, axes, false);
});

/** Unsqueeze; the axes count in the result. */
export const unsqueezeShape = fromFirst((shape, query) => {
  const listed = listOf(query, 'axes', 1);
  if (!listed) return undefined;
  const rank = shape.length + listed.length;
  const added = new Set(listed.map((axis) => positiveAxis(query, axis, rank)));
  const rest = shape.values();
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.next().value ?? 1)));
});

/** Concat: lengths along the axis add up, the others are equal. */
export const concatShape: ShapeRule = (query) => {
  const shapes = query.inputs.map(({ shape }) => shape);
  if (shapes.length === 0 || !shapes.every((shape) => shape !== undefined)) return [];
  const [first] = shapes;
  const axis = positiveAxis(query, intOf(query.node.attributes, 'axis', 1), first.length);
  const odd = shapes.find(
    (shape) => shape.length !== first.length || shape.some((length, at) => at !== axis && length !== first[at]),
  );
  if (odd) throw misfit(query, `[${first.join(', ')}] but for axis ${axis}`, `[${odd.join(', ')}]`);
  return [
    first.with(
      axis,
      shapes.reduce((sum, shape) => sum + shape[axis], 0),
    ),
  ];
};

/** Split into listed lengths, or into equal ones of which the last may be shorter. */
export const splitShape: ShapeRule = (query) => {
  const shape = query.inputs[0]?.shape;
  const parts = query.node.outputs.length;
  const listed = listOf(query, 'split', 1);
  if (!shape || !listed) return [];
  const axis = positiveAxis(query, intOf(query.node.attributes, 'axis', 0), shape.length);
  const even = Math.ceil(shape[axis] / parts);
  const lengths =
    listed.length > 0 ? listed : Array.from({ length: parts }, (_, part) => Math.min(even, shape[axis] - part * even));
  return lengths.map((length) => shape.with(axis, length));
};

/** Slice, by attributes or by inputs. */
export const sliceShape = fromFirst((shape, query) => {
  const ranges = sliceRanges(shape, query);
  return ranges?.map(({ count }) => count);
});

/** Where a slice begins, how far it steps and how many it takes along each axis; undefined where that is not constant. */
export function sliceRanges(shape: Shape, query: ShapeQuery): readonly SliceRange[] | undefined {
  const starts = listOf(query, 'starts', 1);
  const ends = listOf(query, 'ends', 2);
  const axes = listOf(
    query,
    'axes',
    3,
    starts?.map((_, axis) => axis),
  );
  const steps = isGiven(query, 4) ? numbersAt(query, 4) : starts?.map(() => 1);
  if (!starts || !ends || !axes || !steps) return undefined;
  const ranges: SliceRange[] = shape.map((count) => ({ start: 0, step: 1, count }));
  for (const [index, axis] of axes.entries()) {
    const at = positiveAxis(query, axis, shape.length);
    ranges[at] = sliceRange(shape[at], starts[index], ends[index], steps[index]);
  }
  return ranges;
}

/** The part of one axis that a slice takes: `count` indices from `start` in steps of `step`. */
export interface SliceRange {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function sliceRange(length: number, from: number, to: number, step: number): SliceRange {
  const within = (value: number, low: number, high: number) =>
    Math.min(Math.max(value < 0 ? value + length : value, low), high);
  const start = step > 0 ? within(from, 0, length) : within(from, 0, length - 1);
  const end = step > 0 ? within(to, 0, length) : within(to, -1, length - 1);
  return { start, step, count: Math.max(0, Math.ceil((end - start) / step) || 0) };
}

/** Pad: begins and ends of all axes or of those named; negative pads crop. */
export const padShape = fromFirst((shape, query) => {
  const pads = listOf(query, 'pads', 1);
  const axes = listOf(
    query,
    'axes',
    3,
    shape.map((_, axis) => axis),
  );
  if (!pads || !axes) return undefined;
  if (pads.length !== 2 * axes.length) throw misfit(query, `${2 * axes.length} pads`, String(pads.length));
  const padded = [...shape];
  for (const [index, axis] of axes.entries()) {
    padded[positiveAxis(query, axis, shape.length)] += pads[index] + pads[index + axes.length];
  }
  return padded;
});

/** Gather: the indices' shape in place of the axis. */
export const gatherShape: ShapeRule = (query) => {
  const [shape, indices] = query.inputs.map((input) => input.shape);
  if (!shape || !indices) return [];
  const axis = positiveAxis(query, intOf(query.node.attributes, 'axis', 0), shape.length);
  return [[...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)]];
};

/** Tile: each axis repeated. */
export const tileShape = fromFirst((shape, query) => {
  const repeats = numbersAt(query, 1);
  if (repeats && repeats.length !== shape.length)
    throw misfit(query, `${shape.length} repeats`, String(repeats.length));
  return repeats && shape.map((length, axis) => length * repeats[axis]);
});

/** DepthToSpace: N×C·b²×h×w → N×C×h·b×w·b. */
export const depthToSpaceShape = fromFirst((shape, query) => {
  const block = intOf(query.node.attributes, 'blocksize', 1);
  return [shape[0], shape[1] / block ** 2, shape[2] * block, shape[3] * block];
});

/** SpaceToDepth: N×C×h·b×w·b → N×C·b²×h×w. */
export const spaceToDepthShape = fromFirst((shape, query) => {
  const block = intOf(query.node.attributes, 'blocksize', 1);
  return [shape[0], shape[1] * block ** 2, shape[2] / block, shape[3] / block];
});

function without(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  return keep
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}
