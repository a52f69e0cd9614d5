import {
  type MemoryUse,
  mapNamed,
  type OpenedDevice,
  type RecordingEngine,
  type Tensor,
  type VariantBatch,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { type RuleName, rules } from '../backward/rules/index.ts';
import { walk } from '../backward/walk.ts';
import { forwardPass, requireKernels } from '../forward/forward.ts';
import { mergeBatchNorm } from '../onnx/fold-batch-norm.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Tuning } from '../tuning/tuning.ts';
import type { BackwardResult, Classifier, ForwardResult } from '../types.ts';
import { classesOf, requireFinite, requireImages } from './checks.ts';
import { chooseBatch } from './choose-batch.ts';
import { type ConvolutionChoice, convolutionFor } from './convolution-for.ts';
import { requireWalk } from './derived-models.ts';
import { gpuQuestions } from './gpu-questions.ts';
import { gpuWeights } from './gpu-weights.ts';
import { type Ask, inPortions } from './in-portions.ts';

/**
 * `convolution` and `halfConvolution`, where they are given, take the place of what won or is the default; walks back pass over
 * those that do not keep zeros.
 */
export interface WebgpuOptions extends Partial<ConvolutionChoice> {
  /**
   * Images that one run takes at most; longer batches are cut. By default what the device's largest buffer and the memory limit
   * leave room for, up to 128 in float32 and 256 in half precision, or 8 on a software adapter. Halved when the device turns out to
   * have too little memory.
   */
  readonly maxBatch?: number;
  /** `f16` makes logits in half precision with sums in float32; see `halfError` before it is trusted. `f32` unless said. */
  readonly precision?: 'f32' | 'f16';
  /** Questions whose programs stay planned. 16 by default. */
  readonly questions?: number;
  /** Bytes of GPU memory that tensors may take, those kept for reuse included. No limit unless said. */
  readonly memoryLimit?: number;
  /** Which programs won on this device, from `tune`; defaults compute what it does not know. */
  readonly tuning?: Tuning;
}

export interface WebgpuClassifier extends Classifier {
  /** Bytes of GPU memory that it takes. */
  memory(): MemoryUse;
}

/**
 * Opens a classifier that computes the whole network on a GPU: forward passes, walks under every rule, and the variants of a
 * sweep, which never leave it.
 *
 * The network is read from the same graph as by `ortClassifier`. Batch normalisations are merged into convolutions, bias,
 * shortcut and ReLU are computed with the convolution before them, weights are uploaded once.
 *
 * In half precision `predict` and `predictVariants` are; `values` of layers and `backward` stay float32 with the logits that they
 * return: they are one pass an image, and their numbers are what maps are made of.
 *
 * Whoever opened the device closes it, after the classifier.
 *
 * @throws ModelError when an operation of the network has no kernels, naming operation and node
 */
export function webgpuClassifier(graph: Graph, opened: OpenedDevice, options: WebgpuOptions = {}): WebgpuClassifier {
  requireKernels(graph);
  const { questions: limit = 16, memoryLimit, precision = 'f32' } = options;
  const chosen = convolutionFor(opened, options.tuning);
  const { convolution = chosen.convolution, halfConvolution = chosen.halfConvolution } = options;
  const engine = webgpuEngine(opened.device, { memoryLimit });
  const merged = mergeBatchNorm(graph);
  const weights = gpuWeights(engine, [graph, merged]);
  const walkConvolution = keepingZeros(convolution, convolutionFor(opened).convolution);
  const layouts = { convolution, halfConvolution, walkConvolution };
  const open = (own: 'f32' | 'f16') => {
    const batch = options.maxBatch ?? chooseBatch(graph, opened, { memoryLimit, precision: own });
    const ask = inPortions(gpuQuestions(engine, weights, { ...layouts, limit, precision: own }), batch, graph.logits);
    return { ask, batch };
  };
  const network = { graph, merged };
  const exact = open('f32');
  const fast = precision === 'f32' ? exact : open(precision);
  const close = async () => engine.dispose();
  const { description, device } = opened.adapter;
  return {
    atOnce: 2, // the next batch is on its way while the GPU computes this one
    device: `webgpu ${description || device || 'gpu'}${precision === 'f32' ? '' : ` ${precision}`}`,
    precision,
    batch: fast.batch,
    memory: () => engine.memory(),
    graph,
    input: graph.input.shape,
    classes: classesOf(graph),
    predict: async (batch) => (await askValues(network, fast.ask, batch, [])).logits,
    values: (batch, layers) => askValues(network, exact.ask, batch, layers),
    backward: (batch, layer, rule, start) => askBackward(network, exact.ask, batch, { layer, rule, start }),
    predictVariants: (variants) => askVariants(network, fast.ask, variants),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The program that was chosen, or another where that one may leave something else than 0 of zeros: rules divide by sums that are not 0. */
function keepingZeros(
  chosen: ConvolutionChoice['convolution'],
  other: ConvolutionChoice['convolution'],
): ConvolutionChoice['convolution'] {
  return (shape) => {
    const program = chosen(shape);
    return program.keepsZeros === false ? other(shape) : program;
  };
}

/** A network, and the same with its batch normalisations merged. */
interface Network {
  readonly graph: Graph;
  readonly merged: Graph;
}

async function askValues(network: Network, ask: Ask, batch: Tensor, layers: readonly string[]): Promise<ForwardResult> {
  requireImages(batch, network.graph.input.shape);
  requireFinite('Image', batch);
  const wanted = [...new Set(layers)].sort();
  const [logits, ...found] = await ask({
    key: `values ${wanted.join(' ')}`,
    count: batch.shape[0],
    inputs: [{ tensor: batch, grows: true }],
    record(engine, [shape]) {
      const images = engine.value(shape);
      const value = valuesOf(network, engine, images);
      return { inputs: [images], outputs: [network.graph.logits, ...wanted].map(value) };
    },
  });
  return { logits, layers: Object.fromEntries(wanted.map((layer, index) => [layer, found[index]])) };
}

async function askBackward(
  network: Network,
  ask: Ask,
  batch: Tensor,
  { layer, rule, start }: { readonly layer: string; readonly rule: RuleName; readonly start: Tensor },
): Promise<BackwardResult> {
  requireImages(batch, network.graph.input.shape);
  requireFinite('Image', batch);
  requireFinite('Start', start);
  requireWalk(network.graph, layer, rule);
  const [logits, activations, arrived] = await ask({
    key: `backward ${rule} ${layer}`,
    isWalk: true,
    count: batch.shape[0],
    inputs: [
      { tensor: batch, grows: true },
      { tensor: start, grows: true },
    ],
    record(engine, [imageShape, startShape]) {
      const images = engine.value(imageShape);
      const from = engine.value(startShape);
      const forward = valuesOf(network, engine, images);
      const walked = rules[rule].mergeBatchNorm ? network.merged : network.graph;
      const result = walk({ graph: walked, engine, forward, layer, rule: rules[rule], start: from });
      return { inputs: [images, from], outputs: [forward(network.graph.logits), forward(layer), result] };
    },
  });
  return { logits, activations, arrived };
}

async function askVariants<In extends string, U extends string, O>(
  network: Network,
  ask: Ask,
  { kernel, inputs, rows: varying, options }: VariantBatch<In, U, O>,
): Promise<Tensor> {
  for (const name of kernel.inputs) requireFinite(`Input ${name}, row`, inputs[name]);
  const shapes = kernel.inputs.map((name) => inputs[name].shape.slice(name === varying ? 1 : 0).join('×'));
  const [logits] = await ask({
    key: `variants ${kernel.name} ${varying} ${shapes.join(' ')} ${JSON.stringify(options)}`,
    count: inputs[varying].shape[0],
    inputs: kernel.inputs.map((name) => ({ tensor: inputs[name], grows: name === varying })),
    record(engine, given) {
      const values = given.map((shape) => engine.value(shape));
      const named = mapNamed(kernel.inputs, (name) => values[kernel.inputs.indexOf(name)]);
      const variants = engine.run(kernel, named, options);
      return { inputs: values, outputs: [valuesOf(network, engine, variants)(network.graph.logits)] };
    },
  });
  return logits;
}

/** Values of the merged network, and those that merging made disappear from the network as it was read. */
function valuesOf({ graph, merged }: Network, engine: RecordingEngine, images: ReturnType<RecordingEngine['value']>) {
  const fromMerged = forwardPass(merged, engine, images);
  const fromGraph = forwardPass(graph, engine, images);
  const inMerged = new Set([
    merged.input.name,
    ...merged.constants.keys(),
    ...merged.nodes.flatMap(({ outputs }) => outputs),
  ]);
  return (name: string) => (inMerged.has(name) ? fromMerged(name) : fromGraph(name));
}
