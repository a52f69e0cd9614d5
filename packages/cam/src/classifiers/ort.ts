import { type Tensor, tensor } from '@cambium/gpu-kernels';
import * as ort from 'onnxruntime-node';
import { ModelError } from '../errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Classifier } from '../types.ts';
import type { DerivedModel } from './derived-models.ts';
import { type Session, sessionCache } from './session-cache.ts';
import { sessionClassifier } from './session-classifier.ts';

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
  /**
   * A form of the network, such as `quantise` makes, that answers where logits alone are asked for; layers and walks are
   * the network's own. The network itself by default.
   */
  readonly logits?: Graph;
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
  const { provider = 'cpu', maxBatch = 32, sessions = 4, logits } = options;
  return sessionClassifier(graph, {
    device: `onnxruntime ${provider}`,
    logits,
    sessions: sessionCache(sessions, (model) => openSession(model, { ...options, provider })),
    maxBatch,
  });
}

async function openSession(
  model: DerivedModel,
  { provider, threads }: OrtOptions & { readonly provider: Provider },
): Promise<Session> {
  const session = await ort.InferenceSession.create(model.bytes, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4, // what goes wrong is thrown, not printed
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
  }).catch((cause: unknown) => {
    throw new ModelError(`ONNX Runtime (${provider}) refused the network: ${reasonOf(cause)}`, { cause });
  });
  return {
    run: async (feeds) => {
      const given = Object.fromEntries(
        Object.entries(feeds).map(([name, { data, shape }]) => [name, new ort.Tensor('float32', data, shape)]),
      );
      const results = await session.run(given);
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

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
}
