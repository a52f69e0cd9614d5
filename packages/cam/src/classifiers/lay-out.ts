import {
  type ChannelsLastOptions,
  channelsLast,
  fuseConvolutions,
  type LaidOut,
  programOf,
  type RecordedValue,
  type RecordingEngine,
  recordingEngine,
} from '@cambium/gpu-kernels';

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
  const fused = fuseConvolutions(programOf(recording.steps, outputs).steps, outputs);
  return { inputs, ...channelsLast(fused, outputs, layout) };
}
