import type { Predict, Tensor } from '@cambium/gpu-kernels';

/**
 * Explains one image.
 *
 *     image C×H×W, class index  →  map H×W, larger where it speaks for the class
 */
export type Explain = (image: Tensor, target: number) => Promise<Tensor>;

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
}

/** What a metric looks at. */
export type Category = 'faithfulness' | 'robustness' | 'complexity' | 'randomisation' | 'axiomatic';

/** A metric's number for one subject, or why there is none. It is never NaN. */
export type Score = { readonly value: number } | { readonly value: null; readonly reason: string };

/** Scores explanations. Category and direction are data, so that rank tables need no knowledge of a metric. */
export interface Metric<Options> {
  readonly name: string;
  readonly category: Category;
  readonly better: 'higher' | 'lower';
  /** Citation of the paper. */
  readonly source: string;
  /** Values of the paper or of Quantus; each metric says which. */
  readonly defaults: Options;
  score(subject: Subject, options: Options): Promise<Score>;
}
