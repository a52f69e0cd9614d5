import { rows, type Tensor, tensor } from '@cambium/gpu-kernels';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import type { Graph } from '../../src/onnx/graph.ts';
import { writeModel } from '../../src/onnx/write.ts';
import type { Network } from './networks.ts';

/** Every node as the operator's text says: optimised, int8 weights would be multiplied in int8. */
const plain = { logSeverityLevel: 4, intraOpNumThreads: 1, graphOptimizationLevel: 'disabled' } as const;

/** Runs a model of one input in ONNX Runtime and returns its first output. */
export async function runBytes(bytes: Uint8Array, feed: OrtTensor): Promise<OrtTensor> {
  const session = await InferenceSession.create(bytes, plain);
  const results = await session.run({ [session.inputNames[0]]: feed });
  await session.release();
  return results[session.outputNames[0]];
}

/** Logits of a read graph, written and run, one row for each image. */
export async function runGraph(graph: Graph, images: Tensor): Promise<Float32Array> {
  const bytes = writeModel(graph, { outputs: [graph.logits] });
  return inBatches(images, graph.input.batch, (batch) => runBytes(bytes, feedOf(batch)));
}

/** What ONNX Runtime makes of the file as it is, images given as the file wants them. */
export async function runOriginal(network: Network, images: Tensor): Promise<Float32Array> {
  const batch = typeof network.batch === 'number' ? network.batch : 'any';
  return inBatches(images, batch, (part) =>
    runBytes(network.twin ?? network.bytes, feedOf(network.channelsLast ? channelsLast(part) : part)),
  );
}

/** Runs images in batches of the one size that a graph takes; the last batch is filled up with its own first image. */
async function inBatches(
  images: Tensor,
  size: number | 'any',
  run: (batch: Tensor) => Promise<OrtTensor>,
): Promise<Float32Array> {
  const count = images.shape[0];
  const step = size === 'any' ? count : size;
  const parts: Float32Array[] = [];
  for (let start = 0; start < count; start += step) {
    const part = rows(images, start, Math.min(count, start + step));
    const full = new Float32Array((part.data.length / part.shape[0]) * step);
    full.set(part.data);
    const result = floatsOf(await run(tensor(full, [step, ...part.shape.slice(1)])));
    parts.push(result.subarray(0, (result.length / step) * part.shape[0]));
  }
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

function feedOf({ data, shape }: Tensor): OrtTensor {
  return new OrtTensor('float32', data, [...shape]);
}

function floatsOf(result: OrtTensor): Float32Array {
  return Float32Array.from(result.data as ArrayLike<number>); // outputs of these networks are floats of some width
}

function channelsLast({ data, shape: [batch, channels, height, width] }: Tensor): Tensor {
  const area = height * width;
  const result = new Float32Array(data.length);
  for (let image = 0; image < batch; image++) {
    for (let pixel = 0; pixel < area; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(image * area + pixel) * channels + channel] = data[(image * channels + channel) * area + pixel];
      }
    }
  }
  return tensor(result, [batch, height, width, channels]);
}
