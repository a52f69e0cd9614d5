import type { Shape } from '@cambium/gpu-kernels';
import { ModelError } from '../errors.ts';
import type { ImageInput } from './choose-input.ts';
import type { Draft } from './draft.ts';
import { dropEmptyWindows } from './drop-empty-windows.ts';
import { type DraftWithLogits, findLogits } from './find-logits.ts';
import { mergeTransposes, transposeInput } from './fix-layout.ts';
import { foldConstants } from './fold-constants.ts';
import type { Graph } from './graph.ts';
import { interpret } from './interpret.ts';
import { foldShapes, liftReshapes } from './lift-batch.ts';
import { readsOf } from './node-proto.ts';
import { prune } from './prune.ts';
import type { Known } from './shapes/rule.ts';
import { sortNodes } from './sort-nodes.ts';

/**
 * Two batch sizes to try a network at. What is equal at both does not depend on the batch; what equals them is the
 * batch. Primes that no layer has as a width, so that nothing else is taken for it.
 */
const PROBES = [10007, 10009] as const;

/**
 * Turns a draft into a graph: channels first, constants and shape arithmetic folded, the logits found, only what they
 * need kept, and the batch open where it can be.
 *
 * @throws ModelError when the network is not a classifier of images or its nodes do not fit each other
 */
export function normalise(source: Draft, input: ImageInput): Graph {
  const draft = mergeTransposes(foldConstants(alive(transposeInput(source, input))));
  const fixed = input.batch === 'any' ? 1 : input.batch;
  const open =
    (input.batch === 'any' ? attempt(() => withOpenBatch(draft, input)) : undefined) ??
    attempt(() => withLiftedBatch(draft, input, fixed));
  return open ? toGraph(open, input, 'any') : toGraph(withFixedBatch(draft, input, fixed), input, fixed);
}

/** Only what the outputs need, in topological order. */
function alive(draft: Draft): Draft {
  const names = (values: Draft['inputs']) => values.map(({ name }) => name);
  return prune({ ...draft, nodes: sortNodes(draft.nodes) }, names(draft.outputs), names(draft.inputs));
}

/** The batch is open in the file and every node agrees. */
function withOpenBatch(draft: Draft, input: ImageInput): DraftWithLogits {
  const [at, atOther] = PROBES.map((batch) => interpret(draft, inputOf(input, batch)));
  const found = findLogits(draft, at, PROBES[0]);
  return { logits: found.logits, draft: foldShapes(found.draft, [at, atOther]) };
}

/** The file fixes the batch, but every node holds for another once constant targets of Reshape let go of it. */
function withLiftedBatch(draft: Draft, input: ImageInput, batch: number): DraftWithLogits {
  const fixed = attempt(() => findFixed(draft, input, batch));
  const outputs = fixed ? [{ name: fixed.logits, dimensions: undefined, dataType: 0 }] : draft.outputs;
  const live = prune(
    { ...(fixed?.draft ?? draft), outputs },
    outputs.map(({ name }) => name),
    [input.name],
  );
  const lifted = liftReshapes(live, interpret(live, inputOf(input, batch)), batch);
  const found = withOpenBatch({ ...lifted, declared: new Map() }, input);
  return { ...found, draft: { ...found.draft, declared: draft.declared } };
}

function withFixedBatch(draft: Draft, input: ImageInput, batch: number): DraftWithLogits {
  const found = findFixed(draft, input, batch);
  const known = interpret(found.draft, inputOf(input, batch));
  return { logits: found.logits, draft: foldShapes(found.draft, [known, known]) };
}

function findFixed(draft: Draft, input: ImageInput, batch: number): DraftWithLogits {
  return findLogits(draft, interpret(draft, inputOf(input, batch)), batch);
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ModelError) return undefined;
    throw error;
  }
}

function inputOf({ name, shape }: ImageInput, batch: number): { name: string; shape: Shape } {
  return { name, shape: [batch, ...shape] };
}

function toGraph({ draft, logits }: DraftWithLogits, input: ImageInput, batch: Graph['input']['batch']): Graph {
  const { nodes, constants } = prune(draft, [logits], [input.name]);
  if (!nodes.some((node) => readsOf(node).includes(input.name))) throw ignoresImage(logits, input.name);
  const known = interpret({ ...draft, nodes, constants }, inputOf(input, batch === 'any' ? 1 : batch));
  return {
    opset: draft.opset,
    domains: draft.domains,
    functions: draft.functions,
    input: { name: input.name, shape: input.shape, batch },
    logits,
    nodes: nodes.map((node) => dropEmptyWindows(node, known.get(node.inputs[0])?.shape)),
    constants,
    shapes: shapesOf(known, constants),
    metadata: draft.metadata,
  };
}

function ignoresImage(logits: string, input: string): ModelError {
  return new ModelError({
    where: `The logits "${logits}"`,
    expected: `numbers that follow from the image "${input}"`,
    got: 'the same ones for every image',
    next: 'Export a classifier whose output depends on its input.',
  });
}

function shapesOf(known: ReadonlyMap<string, Known>, constants: Graph['constants']): ReadonlyMap<string, Shape> {
  const entries = [...known].flatMap(([name, { shape }]) =>
    shape && name !== '' && !constants.has(name) ? [[name, shape] as const] : [],
  );
  return new Map(entries);
}
