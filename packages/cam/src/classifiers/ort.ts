import type { Graph } from '../onnx/graph.ts';
import type { Classifier } from '../types.ts';
import type { DerivedModel } from './derived-models.ts';
import { openOrtSession, type Provider } from './ort-session.ts';
import { ortThread } from './ort-thread.ts';
import { sessionCache } from './session-cache.ts';
import { sessionClassifier } from './session-classifier.ts';

export interface OrtOptions {
  readonly provider?: Provider;
  /** Threads within an operation; ONNX Runtime's own choice by default. */
  readonly threads?: number;
  /** Images that one run takes at most; longer batches are cut. 32 by default. */
  readonly maxBatch?: number;
  /** Questions whose models stay compiled; each holds the weights once. 4 by default. */
  readonly sessions?: number;
  /**
   * Where it computes. `caller`: in the thread that asks, which does nothing else meanwhile; the default. `own`: in a
   * thread of the classifier's, so that other JavaScript goes on; batches are copied on their way there. The numbers are
   * the same. Close it before you call `process.exit`: Node.js cannot end a thread that is in the runtime, and aborts.
   */
  readonly thread?: 'caller' | 'own';
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
  const { provider = 'cpu', threads, maxBatch = 32, sessions = 4, thread = 'caller', logits } = options;
  const runtime = { provider, threads };
  const host =
    thread === 'own' ? ortThread(runtime) : { open: (model: DerivedModel) => openOrtSession(model, runtime) };
  return sessionClassifier(graph, {
    device: `onnxruntime ${provider}`,
    logits,
    sessions: sessionCache(sessions, host),
    maxBatch,
  });
}
