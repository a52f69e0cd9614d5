import { type Shape, sizeOf } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import type { Draft } from './draft.ts';
import type { GraphNode } from './graph.ts';
import { freshName } from './names.ts';
import type { Known } from './shapes/rule.ts';
import { makersOf } from './sort-nodes.ts';

/** Nodes that may stand behind the Softmax at the end of a file's graph. */
const passing: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/**
 * Finds the logits: the first output of shape batch×classes, further axes of length 1 aside, or what goes into the
 * Softmax that makes it. Where such axes exist a Flatten is appended.
 *
 * @param known what `interpret` found for this draft
 * @param batch length of the batch axis that it was given
 * @throws ModelError when no output has such a shape
 */
export function findLogits(draft: Draft, known: ReadonlyMap<string, Known>, batch: number): DraftWithLogits {
  const makers = makersOf(draft.nodes);
  const candidates = draft.outputs.map(({ name }) => beforeSoftmax(name, makers));
  const logits = candidates.find((name) => isRowOfClasses(known.get(name)?.shape, batch));
  if (logits === undefined) throw noLogits(draft, known);
  if (known.get(logits)?.shape?.length === 2) return { draft, logits };
  const flat = freshName(draft, `${logits}/flat`);
  const node = {
    name: flat,
    op: 'Flatten',
    domain: '',
    inputs: [logits],
    outputs: [flat],
    attributes: { axis: { int: 1 } },
  };
  return { draft: { ...draft, nodes: [...draft.nodes, node] }, logits: flat };
}

/** A draft and the name of its logits, batch×classes. */
export interface DraftWithLogits {
  readonly draft: Draft;
  readonly logits: string;
}

function beforeSoftmax(output: string, makers: ReadonlyMap<string, GraphNode>): string {
  let node = makers.get(output);
  while (node?.domain === '' && passing.has(node.op)) node = makers.get(node.inputs[0]);
  return node?.domain === '' && node.op === 'Softmax' ? node.inputs[0] : output;
}

/** batch×classes, or the same with axes of length 1 anywhere behind the batch. */
function isRowOfClasses(shape: Shape | undefined, batch: number): boolean {
  if (!shape || shape.length < 2 || shape[0] !== batch) return false;
  const inner = shape.slice(1);
  return sizeOf(inner) > 0 && sizeOf(inner) === Math.max(...inner);
}

function noLogits(draft: Draft, known: ReadonlyMap<string, Known>): ModelError {
  const outputs = draft.outputs.map(
    ({ name }) => `"${name}" [${known.get(name)?.shape?.join(', ') ?? 'unknown shape'}]`,
  );
  return new ModelError({
    where: 'The model',
    expected: 'an output of batch×classes, the logits of a classifier',
    got: outputs.length === 0 ? 'no output' : outputs.join(', '),
    next: 'Export a classifier: its output needs one number for each image and class.',
  });
}
