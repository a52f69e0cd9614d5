import {
  comparePairs,
  criticalDifference,
  type FriedmanResult,
  friedman,
  indistinguishable,
  type PairComparison,
} from '@cambium/metrics';
import type { Entrant, RankedCriterion, Study } from '../study.ts';
import { scoreTable } from './rank-entrants.ts';

/** Do the techniques at one layer differ under one criterion, and which? */
export interface CriterionTest {
  readonly criterion: RankedCriterion;
  readonly entrants: readonly Entrant[];
  /** Null with fewer than three entrants or two complete images. */
  readonly friedman: FriedmanResult | null;
  /** Nemenyi's, at 0.05; null where Friedman's test is. */
  readonly criticalDifference: number | null;
  /** Entrants that it does not tell apart, best first. */
  readonly groups: readonly (readonly number[])[];
  /** Wilcoxon with Holm's correction, every pair. */
  readonly pairs: readonly PairComparison[];
}

/** Friedman's test, Nemenyi's critical difference and Wilcoxon's test of every pair. */
export function testCriterion(study: Study, criterion: RankedCriterion, entrants: readonly Entrant[]): CriterionTest {
  const table = scoreTable(study, criterion, entrants);
  const overall = entrants.length >= 3 ? friedman(table, criterion.better) : null;
  const distance = overall && criticalDifference(entrants.length, overall.blocks);
  return {
    criterion,
    entrants,
    friedman: overall,
    criticalDifference: distance,
    groups: overall && distance !== null ? indistinguishable(overall.averageRanks, distance) : [],
    pairs: entrants.length >= 2 ? comparePairs(table, criterion.better) : [],
  };
}

/** A p-value at or below it is called significant. */
export const LEVEL = 0.05;
