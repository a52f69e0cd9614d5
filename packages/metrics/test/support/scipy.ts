import { readFileSync } from 'node:fs';

/** What SciPy says about small samples; fixtures/scipy-statistics.py writes the file. */
export const scipy: Scipy = JSON.parse(
  readFileSync(new URL('../fixtures/scipy-statistics.json', import.meta.url), 'utf8'),
);

/** Cases with their numbers, from 1. */
export function numbered<T>(cases: readonly T[]): (readonly [number, T])[] {
  return cases.map((record, index) => [index + 1, record]);
}

interface Scipy {
  readonly summaries: readonly { readonly values: number[]; readonly [statistic: string]: number | number[] }[];
  readonly bootstraps: readonly {
    readonly values: number[];
    readonly seed: number;
    readonly statistic: 'mean' | 'median';
    readonly level: number;
    readonly resamples: number;
    readonly low: number;
    readonly high: number;
  }[];
  readonly friedmans: readonly {
    readonly table: number[][];
    readonly statistic: number;
    readonly pValue: number;
    readonly averageRanks: number[];
  }[];
  readonly wilcoxons: readonly {
    readonly a: number[];
    readonly b: number[];
    readonly method: 'exact' | 'permutation' | 'asymptotic';
    readonly positive: number;
    readonly pValue: number;
  }[];
  readonly spearmans: readonly { readonly a: number[]; readonly b: number[]; readonly value: number }[];
  readonly criticals: readonly { readonly entrants: number; readonly level: number; readonly quantile: number }[];
}
