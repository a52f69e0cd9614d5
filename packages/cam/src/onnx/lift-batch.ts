import { sizeOf } from '@cambium/gpu-kernels';
import { withInputs } from './attributes.ts';
import type { Draft } from './draft.ts';
import type { Constant, GraphNode } from './graph.ts';
import { freshName } from './names.ts';
import type { Known } from './shapes/rule.ts';

/**
 * Rewrites constant Reshape targets that begin with the one batch size of a fixed graph: a 0 copies the axis from the
 * input, or, where the input's first axis is another, a −1 infers it. At that batch size nothing changes; whether the
 * graph then holds for others, `interpret` at other batch sizes tells.
 *
 * @param known what `interpret` found at that batch size
 */
export function liftReshapes(draft: Draft, known: ReadonlyMap<string, Known>, batch: number): Draft {
  const constants = new Map(draft.constants);
  const nodes = draft.nodes.map((node) => {
    const target = liftedTarget(node, known, batch);
    return target ? withTarget(node, target, { ...draft, constants }, constants) : node;
  });
  return { ...draft, nodes, constants };
}

/**
 * Removes shape arithmetic: whatever has the same numbers at two batch sizes becomes a constant, a Reshape whose target
 * holds the batch gets a constant target with 0 or −1 there, and a Squeeze without axes gets those it means (at batch
 * size 1 it would take the batch axis too).
 *
 * @param at what `interpret` found at two batch sizes, or twice the same where the batch is fixed
 */
export function foldShapes(draft: Draft, at: readonly [ReadonlyMap<string, Known>, ReadonlyMap<string, Known>]): Draft {
  const constants = new Map(draft.constants);
  const nodes: GraphNode[] = [];
  for (const node of draft.nodes) {
    const constant = sameConstant(at.map((known) => known.get(node.outputs[0])?.constant));
    if (constant && node.outputs.length === 1) {
      constants.set(node.outputs[0], constant);
      continue;
    }
    const list = node.op === 'Squeeze' ? squeezedAxes(node, at[0]) : openTarget(node, at);
    nodes.push(list ? withTarget(node, list, { ...draft, constants }, constants) : node);
  }
  return { ...draft, nodes, constants };
}

function liftedTarget(
  node: GraphNode,
  known: ReadonlyMap<string, Known>,
  batch: number,
): readonly number[] | undefined {
  const target = node.op === 'Reshape' ? numbers(known.get(node.inputs[1])?.constant) : undefined;
  if (target?.[0] !== batch || 'allowzero' in node.attributes) return undefined;
  if (known.get(node.inputs[0])?.shape?.[0] === batch) return target.with(0, 0);
  return target.includes(-1) ? undefined : target.with(0, -1);
}

/** The target of a Reshape that depends on the batch, as far as one 0 for each copied axis and one −1 can say it. */
function openTarget(node: GraphNode, at: readonly ReadonlyMap<string, Known>[]): readonly number[] | undefined {
  if (
    node.op !== 'Reshape' ||
    node.domain !== '' ||
    at.some((known) => known.get(node.inputs[1])?.constant?.type === undefined)
  )
    return undefined;
  const targets = at.map((known) => known.get(node.inputs[1])?.constant);
  if (sameConstant(targets)) return undefined;
  const [before, beforeOther] = at.map((known) => known.get(node.inputs[0])?.shape);
  const [after, afterOther] = at.map((known) => known.get(node.outputs[0])?.shape);
  if (!before || !beforeOther || !after || !afterOther || sizeOf(after) === 0) return undefined;
  const target = after.map((length, axis) => {
    if (length === afterOther[axis]) return length;
    return length === before[axis] && afterOther[axis] === beforeOther[axis] ? 0 : -1;
  });
  return target.filter((length) => length === -1).length <= 1 ? target : undefined;
}

function squeezedAxes(node: GraphNode, known: ReadonlyMap<string, Known>): readonly number[] | undefined {
  const shape = known.get(node.inputs[0])?.shape;
  if (node.domain !== '' || !shape || 'axes' in node.attributes || (node.inputs[1] ?? '') !== '') return undefined;
  return shape.flatMap((length, axis) => (length === 1 ? [axis] : []));
}

/** The node with a list as its second input, or, for a Squeeze before opset 13, as its attribute. */
function withTarget(
  node: GraphNode,
  list: readonly number[],
  draft: Draft,
  constants: Map<string, Constant>,
): GraphNode {
  if (node.op === 'Squeeze' && draft.opset < 13)
    return { ...node, attributes: { ...node.attributes, axes: { ints: list } } };
  const name = freshName(draft, `${node.outputs[0]}/${node.op === 'Squeeze' ? 'axes' : 'shape'}`);
  constants.set(name, { type: 'int64', shape: [list.length], data: list });
  const { allowzero: _, ...attributes } = node.attributes;
  return { ...withInputs(node, [node.inputs[0], name]), attributes };
}

function sameConstant([first, second]: readonly (Constant | undefined)[]): Constant | undefined {
  const [one, other] = [numbers(first), numbers(second)];
  return one && other && one.join() === other.join() ? first : undefined;
}

function numbers(constant: Constant | undefined): readonly number[] | undefined {
  return constant && constant.type !== 'encoded' ? Array.from(constant.data) : undefined;
}
