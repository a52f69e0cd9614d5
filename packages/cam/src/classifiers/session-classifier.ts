import { rows, stack, type Tensor, type VariantBatch } from '@cambium/gpu-kernels';
import type { RuleName } from '../backward/rules/index.ts';
import type { Graph } from '../onnx/graph.ts';
import type { BackwardResult, Classifier, ForwardResult } from '../types.ts';
import { classesOf, requireImages, requireNumbers } from './checks.ts';
import { backwardModel, type DerivedModel, forwardModel, START, variantInput, variantModel } from './derived-models.ts';
import type { Feeds, SessionCache } from './session-cache.ts';

export interface SessionClassifierOptions {
  readonly device: string;
  readonly sessions: SessionCache;
  /** Images that one run takes at most. */
  readonly maxBatch: number;
  /** The form of the network that makes logits of images and variants; the network itself by default. */
  readonly logits?: Graph;
}

/**
 * A classifier that turns each question into an ONNX model of its own and asks a compiled session.
 *
 * @throws ModelError when the number of classes is not known
 */
export function sessionClassifier(graph: Graph, options: SessionClassifierOptions): Classifier {
  const ask = asker(graph, options);
  const { logits = graph } = options;
  const values: Classifier['values'] = (batch, layers) =>
    askValues(layers.length === 0 ? logits : graph, ask, batch, layers);
  const close = () => options.sessions.close();
  return {
    device: options.device,
    precision: 'f32',
    graph,
    input: graph.input.shape,
    classes: classesOf(graph),
    predict: async (batch) => (await values(batch, [])).logits,
    values,
    backward: (batch, layer, rule, start) => askBackward(graph, ask, batch, { layer, rule, start }),
    predictVariants: (variants) => askVariants(logits, ask, variants),
    busy: options.sessions.busy,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function askValues(graph: Graph, ask: Ask, batch: Tensor, layers: readonly string[]): Promise<ForwardResult> {
  requireImages(batch, graph.input.shape);
  const wanted = [...new Set(layers)].sort();
  const question = { key: `values ${wanted.join(' ')}`, model: () => forwardModel(graph, wanted) };
  const [logits, ...found] = await ask(question, batch.shape[0], (part) => ({ [graph.input.name]: part(batch) }));
  return { logits, layers: Object.fromEntries(wanted.map((layer, index) => [layer, found[index]])) };
}

async function askBackward(
  graph: Graph,
  ask: Ask,
  batch: Tensor,
  { layer, rule, start }: { readonly layer: string; readonly rule: RuleName; readonly start: Tensor },
): Promise<BackwardResult> {
  requireImages(batch, graph.input.shape);
  const question = { key: `backward ${rule} ${layer}`, model: () => backwardModel(graph, layer, rule) };
  const feeds = (part: Part) => ({ [graph.input.name]: part(batch), [START]: part(start) });
  const [logits, activations, arrived] = await ask(question, batch.shape[0], feeds);
  return { logits, activations, arrived };
}

async function askVariants<In extends string, U extends string, O>(
  graph: Graph,
  ask: Ask,
  variants: VariantBatch<In, U, O>,
): Promise<Tensor> {
  const { kernel, inputs, rows: varying, options } = variants;
  const shapes = kernel.inputs.map((name) => inputs[name].shape.slice(name === varying ? 1 : 0).join('×'));
  const key = `variants ${kernel.name} ${varying} ${shapes.join(' ')} ${JSON.stringify(options)}`;
  const feed = (name: In, part: Part) => (name === varying ? part(inputs[name]) : inputs[name]);
  const [logits] = await ask({ key, model: () => variantModel(graph, variants) }, inputs[varying].shape[0], (part) =>
    Object.fromEntries(kernel.inputs.map((name) => [variantInput(kernel, name), feed(name, part)])),
  );
  return logits;
}

/** Cuts the portion of a run out of a batch. */
type Part = (whole: Tensor) => Tensor;

/** Asks one question about a batch of `count`: the outputs of its model, joined. */
type Ask = (question: Question, count: number, feeds: (part: Part) => Feeds) => Promise<Tensor[]>;

/** Runs one model over a batch in portions and joins what comes back. */
function asker(graph: Graph, { sessions, maxBatch }: SessionClassifierOptions): Ask {
  const fixed = graph.input.batch === 'any' ? undefined : graph.input.batch;
  return async (question, count, feeds) => {
    const parts: Tensor[][] = [];
    for (let from = 0; from < count; from += fixed ?? maxBatch) {
      const to = Math.min(from + (fixed ?? maxBatch), count);
      const portion = feeds((whole) => padded(rows(whole, from, to), fixed));
      const results = await sessions.run(question.key, question.model, portion);
      parts.push(results.map((result) => rows(result, 0, to - from)));
    }
    const [first] = parts;
    const joined = parts.length === 1 ? first : first.map((_, output) => stack(parts.map((part) => part[output])));
    requireNumbers(joined[0], graph.logits);
    return joined;
  };
}

interface Question {
  readonly key: string;
  model(): DerivedModel;
}

/** Repeats the last row until a graph that is fixed to one batch size is filled. */
function padded(part: Tensor, fixed: number | undefined): Tensor {
  const missing = fixed === undefined ? 0 : fixed - part.shape[0];
  if (missing === 0) return part;
  const last = rows(part, part.shape[0] - 1, part.shape[0]);
  return stack([part, ...Array<Tensor>(missing).fill(last)]);
}
