import { type Shape, sizeOf } from '@cambium/gpu-kernels';
import { intOf, intsOf } from '../attributes.ts';
import { fromFirst, misfit, numbersAt, positiveAxis, type ShapeQuery, type ShapeRule } from './rule.ts';

/** Flatten: axes before `axis` in one, the rest in the other. */
export const flattenShape = fromFirst((shape, query) => {
  const axis = intOf(query.node.attributes, 'axis', 1);
  const cut = axis === shape.length ? axis : positiveAxis(query, axis, shape.length);
  return [sizeOf(shape.slice(0, cut)), sizeOf(shape.slice(cut))];
});

/** Reshape: 0 copies the input's axis (unless `allowzero`), one −1 is inferred. */
export const reshapeShape = fromFirst((shape, query) => {
  const target = intsOf(query.node.attributes, 'shape') ?? numbersAt(query, 1);
  return target && viewAs(shape, target, query);
});

function viewAs(shape: Shape, target: readonly number[], query: ShapeQuery): Shape {
  const literal = intOf(query.node.attributes, 'allowzero', 0) === 1;
  const copied = target.map((length, axis) => (length === 0 && !literal ? (shape[axis] ?? 0) : length));
  const rest = copied.reduce((product, length) => (length === -1 ? product : product * length), 1);
  const viewed = copied.map((length) => (length === -1 ? sizeOf(shape) / rest : length));
  if (viewed.every(Number.isInteger) && sizeOf(viewed) === sizeOf(shape)) return viewed;
  throw misfit(query, `${sizeOf(shape)} numbers for [${shape.join(', ')}]`, `a new shape of [${target.join(', ')}]`);
}

/** Expand: NumPy's broadcasting against a target shape. */
export const expandShape = fromFirst((shape, query) => {
  const target = numbersAt(query, 1);
  return target && broadcastShapes([shape, target], query);
});

/** ConstantOfShape: the input's numbers are the shape. */
export const constantOfShape: ShapeRule = (query) => [numbersAt(query, 0)];

/** Element-wise nodes with NumPy's broadcasting over all their inputs. */
export const broadcastShape: ShapeRule = (query) => {
  const shapes = query.inputs.map(({ shape }) => shape);
  return shapes.every((shape) => shape !== undefined) ? [broadcastShapes(shapes, query)] : [];
};

function broadcastShapes(shapes: readonly Shape[], query: ShapeQuery): Shape {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const length = lengths.find((candidate) => candidate !== 1) ?? 1;
    if (lengths.every((candidate) => candidate === 1 || candidate === length)) return length;
    throw misfit(query, 'shapes that broadcast', shapes.map((shape) => `[${shape.join(', ')}]`).join(' and '));
  });
}

/** MatMul: matrices in the last two axes, the others broadcast; a vector is a row on the left, a column on the right. */
export const matMulShape: ShapeRule = (query) => {
  const [left, right] = query.inputs.map(({ shape }) => shape);
  if (!left || !right) return [];
  const a = left.length === 1 ? [1, ...left] : left;
  const b = right.length === 1 ? [...right, 1] : right;
  if (a.length < 2 || b.length < 2 || a[a.length - 1] !== b[b.length - 2]) {
    throw misfit(query, `matrices that fit`, `[${left.join(', ')}] and [${right.join(', ')}]`);
  }
  const batch = broadcastShapes([a.slice(0, -2), b.slice(0, -2)], query);
  const row = left.length === 1 ? [] : a.slice(-2, -1);
  const column = right.length === 1 ? [] : b.slice(-1);
  return [[...batch, ...row, ...column]];
};

/** Gemm: (transposed) M×K and K×N → M×N. */
export const gemmShape: ShapeRule = (query) => {
  const [left, right] = query.inputs.map(({ shape }) => shape);
  if (!left || !right) return [];
  const { attributes } = query.node;
  const [rows, inner] = intOf(attributes, 'transA', 0) === 1 ? left.toReversed() : left;
  const [depth, columns] = intOf(attributes, 'transB', 0) === 1 ? right.toReversed() : right;
  if (left.length !== 2 || right.length !== 2 || inner !== depth) {
    throw misfit(query, `rows of ${depth} numbers`, `[${left.join(', ')}]`);
  }
  return [[rows, columns]];
};
