import { intsOf } from './attributes.ts';
import type { ImageInput } from './choose-input.ts';
import type { Draft } from './draft.ts';
import type { GraphNode } from './graph.ts';
import { makersOf } from './sort-nodes.ts';

/**
 * Makes images enter as batch×channels×height×width: where the file expects channels last, a Transpose is put before
 * everything that reads the input.
 */
export function transposeInput(draft: Draft, input: ImageInput): Draft {
  if (input.layout === 'channels-first') return draft;
  const inner = `${input.name}/channels_last`;
  const transpose: GraphNode = {
    name: inner,
    op: 'Transpose',
    domain: '',
    inputs: [input.name],
    outputs: [inner],
    attributes: { perm: { ints: [0, 2, 3, 1] } },
  };
  const nodes = draft.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === input.name ? inner : name)),
  }));
  return { ...draft, nodes: [transpose, ...nodes] };
}

/**
 * Lets a Transpose that reads a Transpose read what that one reads, with both orders in one; where they cancel, readers
 * of the second read the source. Needs nodes in topological order; what nobody reads any more is left for pruning.
 */
export function mergeTransposes(draft: Draft): Draft {
  const makers = new Map(makersOf(draft.nodes));
  const renamed = new Map<string, string>();
  const nodes = draft.nodes.map((original) => {
    const node = { ...original, inputs: original.inputs.map((name) => renamed.get(name) ?? name) };
    const inner = node.op === 'Transpose' ? makers.get(node.inputs[0]) : undefined;
    const outerOrder = intsOf(node.attributes, 'perm');
    const innerOrder = inner?.op === 'Transpose' ? intsOf(inner.attributes, 'perm') : undefined;
    if (!inner || !outerOrder || !innerOrder) return node;
    const order = outerOrder.map((axis) => innerOrder[axis]);
    if (order.every((axis, index) => axis === index)) renamed.set(node.outputs[0], inner.inputs[0]);
    const merged = { ...node, inputs: inner.inputs, attributes: { perm: { ints: order } } };
    makers.set(merged.outputs[0], merged);
    return merged;
  });
  const outputs = draft.outputs.map((output) => ({ ...output, name: renamed.get(output.name) ?? output.name }));
  return { ...draft, nodes, outputs };
}
