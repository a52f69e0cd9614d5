import type { Predict, Random, Tensor, VariantPredictor } from '@cambium/gpu-kernels';
import type { RuleName } from './backward/rules/index.ts';
import type { Graph } from './onnx/graph.ts';

/** Answers questions about one network. Whoever opens it closes it. */
export interface Classifier extends VariantPredictor, AsyncDisposable {
  /** What runs the network, such as `onnxruntime cpu`. */
  readonly device: string;
  /** In which forward passes that are asked for their logits are computed; layers and walks are always float32. */
  readonly precision: Precision;
  readonly graph: Graph;
  /** Images worth one run, where the classifier has an opinion. */
  readonly batch?: number;
  /** channels×height×width of one image. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  /** N×C×H×W → N×K logits, for any N. */
  readonly predict: Predict;
  /** N×C×h×w at each layer, and the N×K logits, in one forward pass. Layers are values of the graph. */
  values(batch: Tensor, layers: readonly string[]): Promise<ForwardResult>;
  /**
   * Walks from the logits back to a layer under a rule, in the same run as the forward pass.
   *
   * @param start N×K: what the walk starts from, such as the rule's own `start` for each image
   */
  backward(batch: Tensor, layer: string, rule: RuleName, start: Tensor): Promise<BackwardResult>;
  /**
   * Seconds in which it has been compiling or computing so far, where it computes in another thread: a clock around its
   * answers would count how long they wait to be heard as well.
   */
  busy?(): number;
  close(): Promise<void>;
}

/** `f16` keeps halves in memory and sums in float32, on a GPU; `int8` is static, on ONNX Runtime. */
export type Precision = 'f32' | 'f16' | 'int8';

export interface ForwardResult {
  /** N×K */
  readonly logits: Tensor;
  readonly layers: { readonly [layer: string]: Tensor };
}

/** The values at the layer and what arrived there. */
export interface BackwardResult {
  /** N×K */
  readonly logits: Tensor;
  /** N×C×h×w */
  readonly activations: Tensor;
  /** N×C×h×w: gradient or relevance at the layer's output. */
  readonly arrived: Tensor;
}

/** What a method may ask about one image at one layer. It asks; it never hooks into a network. */
export interface Probe {
  /** 1×C×H×W */
  readonly image: Tensor;
  readonly layer: string;
  /** Index of the class to explain. */
  readonly target: number;
  /** K logits of the image. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** C×h×w */
  readonly activations: Tensor;
  /** Seeded by the study's seed, the image and the layer, so that no order of work changes a draw. */
  readonly random: Random;
  /** Gradient or relevance at the layer, C×h×w; `start` replaces what the rule starts from (K numbers). */
  backward(rule: RuleName, start?: Float32Array<ArrayBuffer>): Promise<Tensor>;
  /**
   * Score-CAM's matrix: logits of the image under the masks of some channels, channels×K. It is kept, so other targets
   * and weightings cost nothing.
   */
  maskedLogits(channels: readonly number[], convention: MaskConvention): Promise<Tensor>;
  /** K logits of the image under a mask of zeros: the mean colour everywhere. */
  blankLogits(): Promise<Float32Array<ArrayBuffer>>;
}

/** How an activation becomes a mask in [0, 1]. The peers differ. */
export interface MaskConvention {
  readonly resize: 'half-pixel' | 'corner-aligned';
  readonly normalise: 'after-resize' | 'before-resize';
  /** Added to max − min in the denominator. */
  readonly epsilon: number;
}

/** A class activation map: how much each part of a layer counts for the target. */
export interface CamMethod<O> {
  readonly name: string;
  readonly title: string;
  /** Citation of the paper. */
  readonly source: string;
  readonly defaults: O;
  /** The rules under which the method walks back from the logits: none for one that only looks forward. */
  rules(options: O): readonly RuleName[];
  /** C weights, one for each channel, or C×h×w for methods that weigh every place by itself. */
  weights(probe: Probe, options: O): Promise<Tensor>;
  finish(options: O): MapFinish;
}

/** How the raw map h×w becomes the final one H×W. The peers differ in the order, and it shows. */
export interface MapFinish {
  /** Whether negative evidence is dropped first. */
  readonly relu: boolean;
  /** Where the map is brought to [0, 1]. */
  readonly minMax: 'before-resize' | 'after-resize' | 'both' | 'none';
  readonly resize: 'half-pixel' | 'corner-aligned';
  /** Added to max − min in the denominator. */
  readonly epsilon: number;
}

export interface Explanation {
  /** H×W, in [0, 1] unless the finish does not normalise. */
  readonly map: Tensor;
  /** h×w, raw and signed: before ReLU, resizing and normalisation. */
  readonly coarse: Tensor;
  /** True when the map says nothing: it was constant, and is all zeros. */
  readonly degenerate: boolean;
  /** C or C×h×w */
  readonly weights: Tensor;
  readonly method: string;
  readonly layer: string;
  readonly target: number;
}
