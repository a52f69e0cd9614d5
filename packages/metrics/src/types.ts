import type { Predict, Random, Shape, Tensor, VariantPredictor } from '@cambium/gpu-kernels';

/**
 * Explains one image.
 *
 *     image C×H×W, class index  →  map H×W, larger where it speaks for the class
 */
export type Explain = (image: Tensor, target: number) => Promise<Tensor>;

/**
 * Explains many images, each for its own class.
 *
 *     images N×C×H×W, N class indices  →  maps N×H×W
 */
export type ExplainBatch = (images: Tensor, targets: readonly number[]) => Promise<Tensor>;

/** What a metric may ask about one explained image. It knows no method and no runtime: only these functions. */
export interface Subject {
  /** C×H×W, as the network receives it. */
  readonly image: Tensor;
  /** Index of the class that the map explains. */
  readonly target: number;
  /** H×W */
  readonly map: Tensor;
  /** N×C×H×W → N×K logits, for any N. */
  readonly predict: Predict;
  readonly explain: Explain;
  /** Used instead of `explain` where a metric has many images to explain. */
  readonly explainBatch?: ExplainBatch;
  /** Makes and classifies variants where it computes; without it they are made here and handed to `predict`. */
  readonly classifier?: VariantPredictor;
  /** Variants alive at once; 32 unless given. The scores do not depend on it. */
  readonly batchSize?: number;
  /** The draws of this one score; a metric that draws without it takes `numpyRandom(0)`. */
  readonly random?: Random;
  /** H×W of zeros and ones, one where the object is: for localisation. */
  readonly mask?: Tensor;
  /** The same explainer on a network with some of its parameters drawn anew. */
  readonly randomise?: Randomise;
  /** Subjects scored together with this one, itself included: for scores across images, and `normaliseScope`. */
  readonly companions?: readonly Subject[];
  /** Keeps what every map of this image and network shares, such as a sweep. */
  readonly sweeps?: SweepCache;
  /** Stops a score between two batches; it then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A network whose parameters can be drawn anew, layer by layer. */
export interface Randomise {
  /** Layers with parameters, from the output to the input. */
  readonly layers: readonly string[];
  /** The explainer after the parameters of these layers, and of no others, were drawn anew from the seed. */
  explainer(layers: readonly string[], seed: number): Promise<Explain>;
}

/** Work done once for an image and network, whichever map asks for it first. */
export interface SweepCache {
  /** The result of `work`, which runs only on the first request of the key; a failure is not kept. */
  once<T>(key: string, work: () => Promise<T>): Promise<T>;
}

/** What a metric looks at. */
export type Category = 'faithfulness' | 'robustness' | 'complexity' | 'axiomatic' | 'randomisation' | 'localisation';

/** What a metric asks of its subject beyond image, target and map. */
export type Need = 'predict' | 'explain' | 'mask' | 'randomise' | 'companions';

/** Numbers behind a score, such as its curve. Plain data, ready for JSON. */
export interface Detail {
  readonly [name: string]: number | string | boolean | readonly number[];
}

/** A metric's number for one subject, or why there is none. It is never NaN. */
export type Score =
  | { readonly value: number; readonly detail?: Detail }
  | { readonly value: null; readonly reason: string };

/** What a score costs. */
export interface Cost {
  /** Images classified for each map. */
  readonly forwards: number;
  /**
   * Images explained for each map, beyond the map itself. Where maps are scaled with those of their companions, the mean
   * over the companions: the first to be scored explains for the others, too.
   */
  readonly explanations: number;
  /**
   * Images classified once for an image, by key, whatever the number of its maps; on top of `forwards`. A key that ends
   * in `/target` stands for one such key for every target of the image.
   */
  readonly shared: { readonly [key: string]: number };
}

/**
 * Scores explanations. Category, direction and cost are data, so that rank tables and planners need no knowledge of a
 * metric.
 */
export interface Metric<Options extends object> {
  /** kebab-case, as in the registry. */
  readonly name: string;
  /** As a table heads its column. */
  readonly title: string;
  readonly category: Category;
  readonly better: 'higher' | 'lower';
  /** Citation of the paper. */
  readonly source: string;
  /** Values of the paper or of Quantus; each metric says which. */
  readonly defaults: Options;
  readonly needs: readonly Need[];
  /** @throws RangeError naming option, value and range, for images of this shape C×H×W */
  check(options: Options, image: Shape): void;
  /**
   * For images of this shape C×H×W; an upper bound where it depends on the map.
   *
   * @param layers layers of the network that can be drawn anew (`Randomise`); 54 unless given, those of a ResNet-50 with
   * its batch norms folded
   */
  cost(options: Options, image: Shape, layers?: number): Cost;
  /**
   * Options that are left out have their defaults.
   *
   * @throws RangeError or ShapeError from the checks of options and subject, before any forward pass
   */
  score(subject: Subject, options?: Partial<Options>): Promise<Score>;
}

/** Any metric: the element type of a registry. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds metrics with every kind of options
export type AnyMetric = Metric<any>;
