import type { Shape } from '@cambium/gpu-kernels';
import { intOf } from '../attributes.ts';
import { dataTypes } from '../data-types.ts';
import type { GraphNode } from '../graph.ts';
import { broadcastStrides, type Numbers, numbersOf, walk } from './numbers.ts';

/** Evaluates a node whose inputs are all constant; `shape` is that of its output. */
export type Evaluation = (inputs: readonly Numbers[], shape: Shape, node: GraphNode) => Numbers | undefined;

type Operation = (a: number, b: number) => number;

/** Both operands broadcast; the result keeps the type of the first. */
function arithmetic(operation: Operation): Evaluation {
  return (inputs, shape) => combine(inputs, shape, inputs[0].type, operation);
}

function comparison(operation: (a: number, b: number) => boolean): Evaluation {
  return (inputs, shape) => combine(inputs, shape, 'bool', (a, b) => Number(operation(a, b)));
}

function combine(inputs: readonly Numbers[], shape: Shape, type: Numbers['type'], operation: Operation): Numbers {
  const lanes = inputs.map((input) => spread(input, shape));
  const [first, ...others] = lanes;
  return numbersOf(
    type,
    shape,
    first.map((value, at) => others.reduce((sum, lane) => operation(sum, lane[at]), value)),
  );
}

function spread(input: Numbers, shape: Shape): readonly number[] {
  return Array.from(walk(shape, broadcastStrides(input.shape, shape)), (at) => input.data[at]);
}

function unary(operation: (value: number) => number): Evaluation {
  return ([input], shape) => numbersOf(input.type, shape, Array.from(input.data, operation));
}

/** Integers divide towards zero; by zero there is no answer. */
const divide: Evaluation = (inputs, shape) => {
  const whole = inputs[0].type !== 'float32';
  if (whole && Array.from(inputs[1].data).includes(0)) return undefined;
  return combine(inputs, shape, inputs[0].type, (a, b) => a / b);
};

/** `fmod` 0: the result has the sign of the divisor. */
const modulo: Evaluation = (inputs, shape, node) => {
  if (Array.from(inputs[1].data).includes(0)) return undefined;
  const signOfDividend = intOf(node.attributes, 'fmod', 0) === 1;
  return combine(inputs, shape, inputs[0].type, (a, b) => (signOfDividend ? a % b : ((a % b) + b) % b));
};

const where: Evaluation = ([condition, yes, no], shape) => {
  const [tests, first, second] = [condition, yes, no].map((input) => spread(input, shape));
  return numbersOf(
    yes.type,
    shape,
    tests.map((test, at) => (test ? first[at] : second[at])),
  );
};

const cast: Evaluation = ([input], shape, node) => {
  const to = intOf(node.attributes, 'to', 0);
  const type = castTypes.find((name) => dataTypes[name] === to);
  if (!type) return undefined;
  if (type === 'float32') return { type, shape, data: Float32Array.from(input.data) };
  return numbersOf(type, shape, Array.from(input.data));
};

const castTypes = ['float32', 'int64', 'int32', 'int8', 'uint8', 'bool'] as const;

/** Element-wise operators of numbers that are all known. */
export const elementWise: readonly (readonly [string, Evaluation])[] = [
  ['Add', arithmetic((a, b) => a + b)],
  ['Sub', arithmetic((a, b) => a - b)],
  ['Mul', arithmetic((a, b) => a * b)],
  ['Div', divide],
  ['Mod', modulo],
  ['Min', arithmetic(Math.min)],
  ['Max', arithmetic(Math.max)],
  ['Pow', arithmetic((a, b) => a ** b)],
  ['And', arithmetic((a, b) => a * b)],
  ['Or', arithmetic(Math.max)],
  ['Equal', comparison((a, b) => a === b)],
  ['Greater', comparison((a, b) => a > b)],
  ['Less', comparison((a, b) => a < b)],
  ['GreaterOrEqual', comparison((a, b) => a >= b)],
  ['LessOrEqual', comparison((a, b) => a <= b)],
  ['Neg', unary((value) => -value)],
  ['Abs', unary(Math.abs)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Sqrt', unary(Math.sqrt)],
  ['Reciprocal', unary((value) => 1 / value)],
  ['Not', unary((value) => 1 - value)],
  ['Where', where],
  ['Cast', cast],
];
