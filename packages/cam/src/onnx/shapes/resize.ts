import type { Shape } from '@cambium/gpu-kernels';
import { floatsOf, intsOf, stringOf } from '../attributes.ts';
import { fromFirst, isGiven, numbersAt, positiveAxis, type ShapeQuery } from './rule.ts';

/** Upsample (scales as attribute, then as input) and Resize (scales or sizes as inputs). */
export const resizeShape = fromFirst((shape, query) => {
  const sizes = isGiven(query, 3) ? numbersAt(query, 3) : undefined;
  if (sizes)
    return stringOf(query.node.attributes, 'keep_aspect_ratio_policy', 'stretch') === 'stretch'
      ? replaced(shape, sizes, query)
      : undefined;
  const inInput = query.node.op === 'Resize' && query.opset >= 11 ? 2 : 1;
  const scales = floatsOf(query.node.attributes, 'scales') ?? numbersAt(query, inInput);
  if (!scales || scales.length === 0) return undefined;
  const axes = axesOf(shape, query);
  return replaced(
    shape,
    scales.map((scale, index) => Math.floor(shape[axes[index]] * scale)),
    query,
  );
});

function replaced(shape: Shape, lengths: readonly number[], query: ShapeQuery): Shape {
  const result = [...shape];
  for (const [index, axis] of axesOf(shape, query).entries()) result[axis] = lengths[index];
  return result;
}

function axesOf(shape: Shape, query: ShapeQuery): readonly number[] {
  const axes = intsOf(query.node.attributes, 'axes');
  return axes?.map((axis) => positiveAxis(query, axis, shape.length)) ?? shape.map((_, axis) => axis);
}
