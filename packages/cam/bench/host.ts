import { numpyRandom, sweep, uniformTensor, zeros } from '@cambium/gpu-kernels';
import { openNull } from '../../gpu-kernels/test/support/null-device.ts';
import { webgpuClassifier } from '../src/classifiers/webgpu.ts';
import { explain } from '../src/explain.ts';
import { resolveLayer } from '../src/layers.ts';
import { methods } from '../src/methods/index.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { probeImage } from '../src/probe.ts';
import type { Classifier } from '../src/types.ts';
import { image, masked } from './recorded.ts';

/** What the host does beside a GPU, in milliseconds: the GPU's own time is not in it. */
export interface HostTimes {
  /** Median of a batch: planning runs, binding, encoding, submitting, uploads and the reading of logits. */
  readonly msPerBatch: number;
  /** Of a batch, all threads of the process. */
  readonly cpuMsPerBatch: number;
  /** Of the first batch: recording, fusing, laying out, packing weights and compiling as well. */
  readonly msFirstBatch: number;
  /** A Score-CAM map of 2,048 channels but for its batches: which channels to try, scores, weighted sum, resizing. */
  readonly msBesideBatches: number;
}

/** Images of a batch. The null backend has little memory, and a longer batch is as many dispatches. */
const BATCH = 4;
const ROUNDS = 200;

/** Measures the host's share on Dawn's null backend, which checks and encodes as any other and computes nothing. */
export async function hostTimes(graph: Graph, precision: 'f32' | 'f16'): Promise<HostTimes> {
  using opened = await openNull();
  await using classifier = webgpuClassifier(graph, opened, { precision, maxBatch: BATCH });
  const batch = () => sweep({ ...masked(BATCH), classifier, batch: BATCH });
  const msFirstBatch = await milliseconds(batch);
  for (let round = 0; round < ROUNDS / 4; round++) await batch(); // V8 optimises
  const before = process.cpuUsage();
  const batches = await medianOf(ROUNDS, batch);
  const { user, system } = process.cpuUsage(before);
  const besideBatches = withoutBatches(classifier);
  const msBesideBatches = await medianOf(5, () => scoreCam(besideBatches));
  return { msPerBatch: batches, cpuMsPerBatch: (user + system) / 1000 / ROUNDS, msFirstBatch, msBesideBatches };
}

/** Answers at once, with an activation that has every channel alive: the null backend's own are zeros. */
export function withoutBatches(classifier: Classifier): Classifier {
  const layer = resolveLayer(classifier.graph, 'layer4');
  const logits = zeros(1, classifier.classes);
  const activations = uniformTensor(numpyRandom(4), [1, 2048, 7, 7], 0, 1);
  return {
    ...classifier,
    values: async () => ({ logits, layers: { [layer]: activations } }),
    predictVariants: async ({ inputs, rows }) => zeros(inputs[rows].shape[0], classifier.classes),
  };
}

async function scoreCam(classifier: Classifier): Promise<void> {
  const layer = resolveLayer(classifier.graph, 'layer4');
  const shown = await probeImage(classifier, image, { layers: [layer], batch: 128 });
  await explain(await shown.at(layer, 0), methods['score-cam']);
}

async function medianOf(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await milliseconds(work));
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)];
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
