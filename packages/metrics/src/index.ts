export type { Baseline } from './baseline.ts';
export { defineMetric, type MetricDefinition } from './define-metric.ts';
export { type EvaluateRequest, evaluate, type Measurement, type Row } from './evaluate.ts';
export type { MapOptions, Normalise, NormaliseScope } from './normalise.ts';
export type { Order } from './order.ts';
export type { Output } from './outputs.ts';
export { type MetricName, metrics, studyMetrics } from './registry.ts';
export { similarityAlongRows, similarityInSquares } from './similarity.ts';
export * from './statistics/index.ts';
export { sweepCache } from './sweep-cache.ts';
export type {
  AnyMetric,
  Category,
  Cost,
  Detail,
  Explain,
  ExplainBatch,
  Metric,
  Need,
  Randomise,
  Score,
  Subject,
  SweepCache,
} from './types.ts';
