import {
  type ChannelsLastOptions,
  channelsLast,
  fuseConvolutions,
  type LaidOut,
  programOf,
  type RecordedValue,
  type RecordingEngine,
  recordingEngine,
  shareSteps,
} from '@cambium/gpu-kernels';
import { forwardPass, requireKernels } from '../forward/forward.ts';
import { mergeBatchNorm } from '../onnx/fold-batch-norm.ts';
import type { Graph } from '../onnx/graph.ts';

/** A question about a network, written down on a recording engine: what it is given, in order, and what it answers. */
export interface RecordedQuestion {
  readonly inputs: readonly RecordedValue[];
  readonly outputs: readonly RecordedValue[];
}

/** Records a question, fuses its convolutions with what follows them and lays it out with channels last. */
export function layOut(
  record: (engine: RecordingEngine) => RecordedQuestion,
  layout: ChannelsLastOptions,
): LaidOut & Pick<RecordedQuestion, 'inputs'> {
  const recording = recordingEngine();
  const { inputs, outputs } = record(recording);
  const shared = shareSteps(programOf(recording.steps, outputs).steps, outputs);
  const fused = fuseConvolutions(shared.steps, shared.outputs);
  return { inputs, ...channelsLast(fused, shared.outputs, layout) };
}

/** The forward pass over a batch, from images to logits, laid out in the same way. @throws ModelError when an operation has no kernels */
export function layOutForward(graph: Graph, batch: number, layout: ChannelsLastOptions): ReturnType<typeof layOut> {
  requireKernels(graph);
  const merged = mergeBatchNorm(graph);
  const record = (engine: RecordingEngine) => {
    const images = engine.value([batch, ...graph.input.shape]);
    return { inputs: [images], outputs: [forwardPass(merged, engine, images)(merged.logits)] };
  };
  return layOut(record, layout);
}
