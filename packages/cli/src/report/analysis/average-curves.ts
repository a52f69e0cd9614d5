import { numpyRandom } from '@cambium/gpu-kernels';
import { bootstrapInterval } from '@cambium/metrics';
import type { ResultRow } from '../../study/records.ts';
import type { Criterion, Entrant, Study } from '../study.ts';
import { meanOf } from './rank-entrants.ts';

/** The curve behind a score: what the network says as more and more of the image is changed. */
export interface Curve {
  readonly entrant: Entrant;
  /** Value at each step, from step 0 where the unchanged image is known, else from 1. */
  readonly points: readonly CurvePoint[];
  /** Mean score: the area that the criterion reports. */
  readonly score: number | null;
  readonly images: number;
}

export interface CurvePoint {
  readonly step: number;
  readonly mean: number;
  /** 95 % bootstrap interval of the mean over images. */
  readonly low: number;
  readonly high: number;
}

/** Criteria whose rows hold curves. */
export function criteriaWithCurves(study: Study): Criterion[] {
  const withCurve = new Set(study.rows.filter((row) => curveOf(row) !== null).map((row) => row.metric));
  return study.criteria.filter(({ metric }) => withCurve.has(metric));
}

/** Mean curve and its band over the images, for every entrant that has curves. */
export function averageCurves(study: Study, criterion: Criterion, entrants: readonly Entrant[]): Curve[] {
  return entrants.flatMap((entrant) => {
    const curves = study.images.flatMap(({ name }) => curveOf(study.row(criterion, entrant, name)) ?? []);
    if (curves.length === 0) return [];
    const points = stepsOf(curves).map((step) => pointAt(curves, step, study.run.seed));
    return [{ entrant, points, score: meanOf(study.scores(criterion, entrant)), images: curves.length }];
  });
}

/** Value at each step of a row's curve, by step; null without one. */
export function curveOf(row: ResultRow | undefined): ReadonlyMap<number, number> | null {
  const curve = row?.detail?.curve;
  if (!Array.isArray(curve)) return null;
  const drops = curve.filter((value) => typeof value === 'number');
  if (drops.length === 0) return null;
  const original = row?.detail?.original;
  if (typeof original !== 'number') return new Map(drops.map((value, index) => [index, value]));
  // a curve of drops: the class's score is what is left of the original's
  return new Map([[0, original], ...drops.map((drop, index) => [index + 1, original - drop] as const)]);
}

function stepsOf(curves: readonly ReadonlyMap<number, number>[]): number[] {
  return [...new Set(curves.flatMap((curve) => [...curve.keys()]))].sort((a, b) => a - b);
}

function pointAt(curves: readonly ReadonlyMap<number, number>[], step: number, seed: number): CurvePoint {
  const values = curves.map((curve) => curve.get(step) ?? null);
  const mean = meanOf(values) ?? 0; // the step comes from one of the curves
  const interval = bootstrapInterval(values, { random: numpyRandom(seed), resamples: RESAMPLES });
  return { step, mean, low: interval?.low ?? mean, high: interval?.high ?? mean };
}

const RESAMPLES = 500; // a band is drawn a pixel wide: its ends need no third digit
