import { type Shape, sizeOf } from '@cambium/gpu-kernels';
import type { Dimensions, Draft } from './draft.ts';
import { evaluate } from './evaluate/evaluate.ts';
import type { GraphNode } from './graph.ts';
import type { Known } from './shapes/rule.ts';

/** Shape arithmetic is short lists of numbers; longer ones are none. */
const LIMIT = 1024;

/**
 * Follows shapes, and the small numbers computed from them, through the whole network for one input shape.
 *
 * Where an operator is unknown, the shape that the file declares is used, its first axis standing for the batch. Needs
 * nodes in topological order.
 *
 * @param input shape of the network's input, the batch's length first
 * @throws ModelError when the inputs of a node do not fit it
 */
export function interpret(
  draft: Draft,
  input: { readonly name: string; readonly shape: Shape },
): ReadonlyMap<string, Known> {
  const values = new Map<string, Known>([[input.name, { shape: input.shape }]]);
  for (const [name, constant] of draft.constants) values.set(name, { shape: constant.shape, constant });
  const declared = (name: string) => lengthsAt(draft.declared.get(name), input.shape[0]);
  for (const node of draft.nodes) {
    for (const [name, known] of outcomes(node, values, draft.opset)) {
      values.set(name, known.shape ? known : { shape: declared(name) });
    }
  }
  return values;
}

function outcomes(
  node: GraphNode,
  values: ReadonlyMap<string, Known>,
  opset: number,
): readonly (readonly [string, Known])[] {
  const inputs = node.inputs.map((name) => values.get(name) ?? {});
  const { shapes, constant } = evaluate({ node, inputs, opset }, LIMIT);
  return node.outputs.map((name, index) => {
    const known =
      index === 0 && constant && sizeOf(constant.shape) <= LIMIT ? { shape: constant.shape, constant } : undefined;
    return [name, known ?? { shape: shapes[index] }] as const;
  });
}

/** Declared lengths as numbers: a symbolic first axis is the batch; any other symbol leaves the shape unknown. */
function lengthsAt(dimensions: Dimensions | undefined, batch: number): Shape | undefined {
  const lengths = dimensions?.map((length, axis) => (typeof length === 'string' && axis === 0 ? batch : length));
  return lengths?.every((length) => typeof length === 'number') ? lengths : undefined;
}
