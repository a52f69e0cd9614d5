import type { Shape, Tensor } from '@cambium/gpu-kernels';
import { type Baseline, requireBaseline } from './baseline.ts';
import { checkMapOptions, type MapOptions } from './normalise.ts';
import { requireWhole } from './options.ts';
import { cut, orderFeatures } from './order.ts';
import { type Output, requireOutput } from './outputs.ts';

/** Options of metrics that replace groups of features. A feature is one number of C×H×W. */
export interface FeatureStepOptions extends MapOptions {
  /** Features that are replaced together. */
  readonly featuresInStep: number;
  /** By the map, or all flat feature indices in another order: to replay how someone else broke ties. */
  readonly order: 'relevance' | readonly number[];
  readonly baseline: Baseline;
  readonly output: Output;
}

/** @throws RangeError naming metric, option, value and range, for an image C×H×W */
export function checkFeatureSteps(metric: string, options: FeatureStepOptions, image: Shape): void {
  checkMapOptions(metric, options);
  requireFeatureOrder(metric, options.order, featureCount(image));
  requireWhole(metric, 'featuresInStep', options.featuresInStep, 1, featureCount(image));
  requireBaseline(metric, options.baseline);
  requireOutput(metric, options.output);
}

/** The features in groups that are replaced together, in the order of the options. */
export function featureGroups(
  map: Tensor,
  channels: number,
  { order, featuresInStep }: FeatureStepOptions,
  direction: 'descending' | 'ascending' = 'descending',
): Uint32Array[] {
  const features = order === 'relevance' ? orderFeatures(map, channels, direction) : Uint32Array.from(order);
  return cut(features, featuresInStep);
}

/** Features of an image C×H×W. */
export function featureCount([channels, height, width]: Shape): number {
  return channels * height * width;
}

/** Steps that replace every feature of an image C×H×W. */
export function stepCount(featuresInStep: number, image: Shape): number {
  return Math.ceil(featureCount(image) / featuresInStep);
}

function requireFeatureOrder(metric: string, order: FeatureStepOptions['order'], count: number): void {
  if (order === 'relevance') return;
  const listed = Array.isArray(order) && order.length === count && new Set(order).size === count;
  if (listed && order.every((index) => Number.isInteger(index) && index >= 0 && index < count)) return;
  throw new RangeError(
    `${metric} expected order to be relevance or all feature indices in [0, ${count - 1}], each once, got ${
      Array.isArray(order) ? `${order.length} others` : String(order)
    }.`,
  );
}
