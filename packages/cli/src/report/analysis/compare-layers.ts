import { holm, type Value, wilcoxonSignedRank } from '@cambium/metrics';
import type { TechniqueRecord } from '../../study/records.ts';
import { type RankedCriterion, rankedCriteria, type Study } from '../study.ts';
import { meanOf } from './rank-entrants.ts';

/** One technique under one criterion at the first and the last layer of the suite. */
export interface LayerComparison {
  readonly criterion: RankedCriterion;
  readonly technique: TechniqueRecord;
  readonly first: Value;
  readonly last: Value;
  /** Which is better by mean; null when equal or one is missing. */
  readonly better: 'first' | 'last' | null;
  /** Wilcoxon over images, corrected by Holm over all comparisons of the criterion; 1 where nothing differs. */
  readonly pValue: number;
}

/** The first against the last layer, for every technique and criterion; empty with a single layer. */
export function compareLayers(study: Study): LayerComparison[] {
  if (study.layers.length < 2) return [];
  return rankedCriteria(study).flatMap((criterion) => compareUnder(study, criterion));
}

function compareUnder(study: Study, criterion: RankedCriterion): LayerComparison[] {
  const [firstLayer] = study.layers;
  const lastLayer = study.layers[study.layers.length - 1];
  const compared = study.techniques.map((technique) => {
    const first = study.scores(criterion, { technique, layer: firstLayer });
    const last = study.scores(criterion, { technique, layer: lastLayer });
    return {
      technique,
      first: meanOf(first),
      last: meanOf(last),
      pValue: wilcoxonSignedRank(first, last)?.pValue ?? 1,
    };
  });
  const corrected = holm(compared.map(({ pValue }) => pValue));
  return compared.map((comparison, index) => ({
    ...comparison,
    criterion,
    better: betterOf(comparison.first, comparison.last, criterion),
    pValue: corrected[index],
  }));
}

function betterOf(first: Value, last: Value, { better }: RankedCriterion): 'first' | 'last' | null {
  if (first === null || last === null || first === last) return null;
  return first > last === (better === 'higher') ? 'first' : 'last';
}
