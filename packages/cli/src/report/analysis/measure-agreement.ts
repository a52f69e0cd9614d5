import type { Tensor } from '@cambium/gpu-kernels';
import { agreement, spearman, type Value } from '@cambium/metrics';
import type { LayerRecord } from '../../study/records.ts';
import { allEntrants, entrantsAt, rankedCriteria, type Study } from '../study.ts';
import { meanOf } from './rank-entrants.ts';

/** Correlations, symmetric with 1 on the diagonal; null where there is none. */
export interface Correlations {
  readonly names: readonly string[];
  readonly values: readonly (readonly Value[])[];
}

/** Do two criteria rank the entrants alike? Spearman over techniques × layers of mean scores, directions applied. */
export function agreementOfCriteria(study: Study): Correlations {
  const criteria = rankedCriteria(study);
  const entrants = allEntrants(study);
  const series = criteria.map((criterion) =>
    entrants.map((entrant) => signed(meanOf(study.scores(criterion, entrant)), criterion.better)),
  );
  return { names: criteria.map(({ title }) => title), values: agreement(series) };
}

/** Do two techniques find the same images easy? Spearman over images under each criterion, averaged over criteria. */
export function agreementOfScores(study: Study, layer: LayerRecord): Value[][] {
  const entrants = entrantsAt(study, layer);
  const tables = study.criteria.map((criterion) =>
    agreement(entrants.map((entrant) => study.scores(criterion, entrant))),
  );
  return entrants.map((_, a) => entrants.map((_, b) => (a === b ? 1 : meanOf(tables.map((table) => table[a][b])))));
}

/** Do two techniques look at the same places? Spearman over the pixels of the raw maps, averaged over images. */
export function agreementOfMaps(maps: readonly (readonly (Tensor | null)[])[]): Value[][] {
  return maps.map((first, a) =>
    maps.map((second, b) => {
      if (a === b) return 1;
      return meanOf(first.map((map, image) => correlate(map, second[image])));
    }),
  );
}

function correlate(a: Tensor | null, b: Tensor | null): Value {
  if (a === null || b === null || a.data.length !== b.data.length) return null;
  return spearman(Array.from(a.data), Array.from(b.data));
}

function signed(value: Value, better: 'higher' | 'lower'): Value {
  return value === null || better === 'higher' ? value : -value;
}
