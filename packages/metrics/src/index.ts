export type { Category, Explain, Metric, Score, Subject } from './types.ts';
