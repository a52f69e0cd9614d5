import { floatOf } from './attributes.ts';
import type { Constant, GraphNode } from './graph.ts';

/** The bounds of a Clip, infinite where it has none or they are computed: attributes up to opset 10, inputs from 11. */
export function clipBounds(
  { inputs, attributes }: GraphNode,
  constants: ReadonlyMap<string, Constant>,
): readonly [low: number, high: number] {
  const bound = (name: string, input: number, none: number) => {
    const constant = constants.get(inputs[input] ?? '');
    return constant && constant.type !== 'encoded' ? constant.data[0] : floatOf(attributes, name, none);
  };
  return [bound('min', 1, Number.NEGATIVE_INFINITY), bound('max', 2, Number.POSITIVE_INFINITY)];
}
