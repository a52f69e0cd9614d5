import { rows, type Tensor } from '@cambium/gpu-kernels';
import { mergeBatchNorm } from '../onnx/fold-batch-norm.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Range } from '../onnx/int8-numbers.ts';
import { quantise, quantisedValues, type Ranges } from '../onnx/quantise.ts';
import type { Classifier } from '../types.ts';
import { type OrtOptions, ortClassifier } from './ort.ts';

/**
 * Finds the least and greatest number that each value of a network takes on some images, for `int8Classifier`.
 *
 * One float32 forward pass for each image; memory is one image's values.
 *
 * @param images batches N×C×H×W, normalised as the network expects: those of the study
 * @throws RangeError when there are no images
 */
export async function calibrate(
  graph: Graph,
  images: Iterable<Tensor>,
  options: Omit<OrtOptions, 'logits'> = {},
): Promise<Ranges> {
  const network = mergeBatchNorm(graph);
  const image = network.input.name;
  const wanted = quantisedValues(network);
  const inside = wanted.filter((value) => value !== image);
  const ranges = new Map<string, Range>();
  const see = (value: string, { data }: Tensor) => ranges.set(value, rangeOf(data, ranges.get(value)));
  await using classifier = ortClassifier(network, { ...options, sessions: 1 });
  for (const batch of images) {
    for (let index = 0; index < batch.shape[0]; index++) {
      const one = rows(batch, index, index + 1);
      const { layers } = await classifier.values(one, inside);
      for (const [value, numbers] of Object.entries(layers)) see(value, numbers);
      if (wanted.includes(image)) see(image, one);
    }
  }
  if (ranges.size === 0) throw new RangeError('calibrate expected at least one image, got none.');
  return Object.fromEntries(ranges);
}

/**
 * Opens a classifier that makes logits in eight bits on ONNX Runtime: about three times as fast on a CPU with VNNI.
 *
 * `predict` and `predictVariants` ask the int8 network; kernels of variants in front of it stay float32. `values` of
 * layers and `backward` ask the float32 network, whose logits come with them: they are one pass an image, and rounding
 * the activations that a map is made of costs more than rounding every score (of a Score-CAM map at the last layer of
 * the embedded ResNet-50 about 0.07 against below 0.01 of its range). What int8 costs depends on network and images:
 * compare with `ortClassifier`.
 *
 * A CPU without VNNI adds pairs of products in sixteen bits, where they may saturate, and gains little.
 *
 * @param ranges from `calibrate` on this network
 * @throws ModelError when a range is missing, or the graph's opset is below 10
 */
export function int8Classifier(graph: Graph, ranges: Ranges, options: Omit<OrtOptions, 'logits'> = {}): Classifier {
  const classifier = ortClassifier(graph, { ...options, logits: quantise(graph, ranges) });
  return { ...classifier, device: `${classifier.device} int8`, precision: 'int8' };
}

function rangeOf(data: Float32Array, [low, high]: Range = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]): Range {
  let [least, greatest] = [low, high];
  for (let index = 0; index < data.length; index++) {
    const value = data[index];
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return [least, greatest];
}
