import { type Shape, sizeOf } from '@cambium/gpu-kernels';
import type { Constant } from '../graph.ts';
import { numbersAt, type ShapeQuery } from '../shapes/rule.ts';
import { shapeRules } from '../shapes/rules.ts';
import { dequantize } from './dequantize.ts';
import { type Evaluation, elementWise } from './element-wise.ts';
import { movement } from './movement.ts';
import type { Numbers } from './numbers.ts';

/**
 * What a node makes of its inputs before the network runs: the shapes of its outputs and, where everything it reads is
 * constant, the one constant it yields.
 *
 * @param limit arithmetic on more numbers is left to the runtime; views, transposes and dequantised weights always fold
 * @throws ModelError when the inputs do not fit the operator
 */
export function evaluate(query: ShapeQuery, limit: number): Evaluated {
  const rule = query.node.domain === '' ? shapeRules.get(query.node.op) : undefined;
  const shapes = rule?.(query) ?? [];
  return { shapes, constant: constantOf(query, shapes[0], limit) };
}

/** Shapes of a node's outputs, and the constant it yields where all it reads is constant. */
export interface Evaluated {
  readonly shapes: readonly (Shape | undefined)[];
  readonly constant: Constant | undefined;
}

function constantOf(query: ShapeQuery, shape: Shape | undefined, limit: number): Constant | undefined {
  const { node } = query;
  if (node.domain !== '') return undefined;
  if (node.op === 'Constant') return constantNode(query);
  if (node.op === 'Shape') return shapeNode(query);
  if (node.op === 'Size' && query.inputs[0]?.shape)
    return { type: 'int64', shape: [], data: [sizeOf(query.inputs[0].shape)] };
  if (node.op === 'Range') return rangeNode(query, limit);
  const evaluation = evaluations.get(node.op);
  if (!evaluation || !shape || node.outputs.length !== 1) return undefined;
  const inputs = query.inputs.map(({ constant }) => constant);
  if (!inputs.every(isNumbers)) return undefined;
  const largest = Math.max(sizeOf(shape), ...inputs.map(({ data }) => data.length));
  return largest <= limit || keepsSize.has(node.op) ? evaluation(inputs, shape, node) : undefined;
}

/** Their result is as large as what the file already holds. */
const keepsSize: ReadonlySet<string> = new Set(
  'Cast DequantizeLinear Flatten Identity Reshape Squeeze Transpose Unsqueeze'.split(' '),
);

function isNumbers(constant: Constant | undefined): constant is Numbers {
  return constant !== undefined && constant.type !== 'encoded';
}

function constantNode({ node: { attributes } }: ShapeQuery): Constant | undefined {
  const { value, value_float, value_floats, value_int, value_ints } = attributes;
  if (value && 'tensor' in value) return value.tensor;
  if (value_float && 'float' in value_float)
    return { type: 'float32', shape: [], data: Float32Array.of(value_float.float) };
  if (value_int && 'int' in value_int) return { type: 'int64', shape: [], data: [value_int.int] };
  if (value_floats && 'floats' in value_floats) {
    return { type: 'float32', shape: [value_floats.floats.length], data: Float32Array.from(value_floats.floats) };
  }
  if (value_ints && 'ints' in value_ints)
    return { type: 'int64', shape: [value_ints.ints.length], data: value_ints.ints };
  return undefined;
}

/** Shape, of all axes or, from opset 15, of those from `start` to `end`. */
function shapeNode({ inputs, node: { attributes } }: ShapeQuery): Constant | undefined {
  const shape = inputs[0]?.shape;
  if (!shape) return undefined;
  const { start, end } = attributes;
  const from = start && 'int' in start ? start.int : 0;
  const lengths = shape.slice(from, end && 'int' in end ? end.int : undefined);
  return { type: 'int64', shape: [lengths.length], data: lengths };
}

function rangeNode(query: ShapeQuery, limit: number): Constant | undefined {
  const [start, end, step] = [0, 1, 2].map((index) => numbersAt(query, index)?.[0]);
  const type = query.inputs[0]?.constant?.type;
  if (start === undefined || end === undefined || !step || type !== 'int64') return undefined;
  const length = Math.max(0, Math.ceil((end - start) / step));
  if (length > limit) return undefined;
  return { type: 'int64', shape: [length], data: Array.from({ length }, (_, index) => start + index * step) };
}

const evaluations: ReadonlyMap<string, Evaluation> = new Map([
  ...elementWise,
  ...movement,
  ['DequantizeLinear', dequantize],
]);
