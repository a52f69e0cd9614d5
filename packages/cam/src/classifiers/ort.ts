import { rows, ShapeError, sizeOf, stack, type Tensor, tensor, type VariantBatch } from '@cambium/gpu-kernels';
import * as ort from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Classifier } from '../types.ts';
import { backwardModel, type DerivedModel, forwardModel, START, variantInput, variantModel } from './derived-models.ts';
import { type Feeds, type Session, sessionCache } from './session-cache.ts';

/** Where ONNX Runtime computes. Which of them work depends on the machine and the installed build. */
export const providers = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Provider = (typeof providers)[number];

/** The providers that the installed build of ONNX Runtime has. */
export function availableProviders(): string[] {
  return ort.listSupportedBackends().map(({ name }) => name);
}

export interface OrtOptions {
  readonly provider?: Provider;
  /** Threads within an operation; ONNX Runtime's own choice by default. */
  readonly threads?: number;
  /** Images that one run takes at most; longer batches are cut. 32 by default. */
  readonly maxBatch?: number;
  /** Questions whose models stay compiled; each holds the weights once. 4 by default. */
  readonly sessions?: number;
}

/**
 * Opens a classifier that ONNX Runtime computes: the reference forward pass, and the fastest where there is no GPU.
 *
 * Each question (logits, values of layers, a walk under a rule, variants of an image) becomes one ONNX model, compiled
 * when first asked and kept; the questions asked last stay open, so memory is bounded.
 *
 * @throws ModelError when a question is asked and ONNX Runtime refuses the network, or the provider is not there
 */
export function ortClassifier(graph: Graph, options: OrtOptions = {}): Classifier {
  const { provider = 'cpu', threads, maxBatch = 32, sessions: kept = 4 } = options;
  const { input } = graph;
  const classes = graph.shapes.get(graph.logits)?.[1];
  if (!classes)
    throw new ModelError(
      `The number of classes of ${graph.logits} could not be inferred; export the model with shape inference.`,
    );
  const sessions = sessionCache(kept, (model) => openSession(model, provider, threads));
  const fixed = input.batch === 'any' ? undefined : input.batch;

  /** Runs one model over a batch in portions and joins what comes back. */
  async function ask(
    key: string,
    build: () => DerivedModel,
    count: number,
    feeds: (part: Part) => Feeds,
  ): Promise<Tensor[]> {
    const parts: Tensor[][] = [];
    for (let from = 0; from < count; from += fixed ?? maxBatch) {
      const to = Math.min(from + (fixed ?? maxBatch), count);
      const results = await sessions.run(
        key,
        build,
        feeds((whole) => padded(rows(whole, from, to), fixed)),
      );
      parts.push(results.map((result) => rows(result, 0, to - from)));
    }
    const joined = parts[0].map((_, output) =>
      parts.length === 1 ? parts[0][output] : stack(parts.map((part) => part[output])),
    );
    requireNumbers(joined[0], graph.logits);
    return joined;
  }

  const values: Classifier['values'] = async (batch, layers) => {
    requireImages(batch, input.shape);
    const wanted = [...new Set(layers)].sort();
    const model = () => forwardModel(graph, wanted);
    const [logits, ...found] = await ask(`values ${wanted.join(' ')}`, model, batch.shape[0], (part) => ({
      [input.name]: part(batch),
    }));
    return { logits, layers: Object.fromEntries(wanted.map((layer, index) => [layer, found[index]])) };
  };

  const backward: Classifier['backward'] = async (batch, layer, rule, start) => {
    requireImages(batch, input.shape);
    const model = () => backwardModel(graph, layer, rule);
    const [logits, activations, arrived] = await ask(`backward ${rule} ${layer}`, model, batch.shape[0], (part) => ({
      [input.name]: part(batch),
      [START]: part(start),
    }));
    return { logits, activations, arrived };
  };

  async function predictVariants<In extends string, U extends string, O>(
    variants: VariantBatch<In, U, O>,
  ): Promise<Tensor> {
    const { kernel, inputs, rows: varying, options } = variants;
    const shapes = kernel.inputs.map((name) => inputs[name].shape.slice(name === varying ? 1 : 0).join('×'));
    const key = `variants ${kernel.name} ${varying} ${shapes.join(' ')} ${JSON.stringify(options)}`;
    const [logits] = await ask(
      key,
      () => variantModel(graph, variants),
      inputs[varying].shape[0],
      (part) =>
        Object.fromEntries(
          kernel.inputs.map((name) => [
            variantInput(kernel, name),
            name === varying ? part(inputs[name]) : inputs[name],
          ]),
        ),
    );
    return logits;
  }

  return {
    device: `onnxruntime ${provider}`,
    graph,
    input: input.shape,
    classes,
    predict: async (batch) => (await values(batch, [])).logits,
    values,
    backward,
    predictVariants,
    close: sessions.close,
    [Symbol.asyncDispose]: sessions.close,
  };
}

/** Cuts the portion of a run out of a batch. */
type Part = (whole: Tensor) => Tensor;

async function openSession(model: DerivedModel, provider: Provider, threads: number | undefined): Promise<Session> {
  const session = await ort.InferenceSession.create(model.bytes, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  }).catch((cause: unknown) => {
    throw new ModelError(`ONNX Runtime (${provider}) refused the network: ${reasonOf(cause)}`, { cause });
  });
  return {
    run: async (feeds) => {
      const results = await session.run(
        Object.fromEntries(
          Object.entries(feeds).map(([name, { data, shape }]) => [name, new ort.Tensor('float32', data, shape)]),
        ),
      );
      return model.outputs.map((name) => tensorOf(results[name], name));
    },
    release: () => session.release(),
  };
}

function tensorOf(value: ort.Tensor, name: string): Tensor {
  if (!(value.data instanceof Float32Array)) {
    throw new ModelError(`Value ${name} holds ${value.type}, not float32; choose a layer of activations.`);
  }
  return tensor(value.data as Float32Array<ArrayBuffer>, value.dims); // the runtime allocates plain array buffers
}

/** Repeats the last row until a graph that is fixed to one batch size is filled. */
function padded(part: Tensor, fixed: number | undefined): Tensor {
  const missing = fixed === undefined ? 0 : fixed - part.shape[0];
  if (missing === 0) return part;
  const last = rows(part, part.shape[0] - 1, part.shape[0]);
  return stack([part, ...Array<Tensor>(missing).fill(last)]);
}

function requireImages(batch: Tensor, [channels, height, width]: readonly [number, number, number]): void {
  const expected = [channels, height, width].join('×');
  if (batch.shape.length === 4 && batch.shape.slice(1).join('×') === expected && batch.shape[0] > 0) return;
  throw new ShapeError('The classifier', `a batch of images of ${expected}`, batch.shape.join('×'));
}

function requireNumbers(logits: Tensor, name: string): void {
  const bad = logits.data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  throw new ModelError(
    `The network's output ${name} is ${logits.data[bad]} for image ${Math.floor(bad / sizeOf(logits.shape.slice(1)))} of the batch; ` +
      'check the image for values that are not finite, and the model with the same image in ONNX Runtime.',
  );
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
}
