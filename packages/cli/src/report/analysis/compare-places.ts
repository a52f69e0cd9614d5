import { rankChanges, type Value } from '@cambium/metrics';
import type { LayerRecord } from '../../study/records.ts';
import { type Criterion, type Entrant, entrantsAt, type Study } from '../study.ts';
import { sharedCriteria, sharedImages, twinOf } from './twins.ts';

/** The places of the techniques at one layer under one criterion, in two runs. */
export interface PlaceComparison {
  readonly criterion: Criterion;
  readonly layer: LayerRecord;
  /** In the suite's order; 1 is best, null where a technique has no score. */
  readonly places: readonly { readonly entrant: Entrant; readonly before: Value; readonly after: Value }[];
  /** How many techniques have another place. */
  readonly moved: number;
}

/** Ranks the techniques that both runs have by their mean ranks over the images that both have, in each run. */
export function comparePlaces(a: Study, b: Study): PlaceComparison[] {
  const images = sharedImages(a, b);
  if (images.length === 0) return [];
  return sharedCriteria(a, b).flatMap(({ criterion, twin }) =>
    a.layers.flatMap((layer) => {
      const pairs = entrantsAt(a, layer).flatMap((entrant) => {
        const other = twinOf(entrant, b);
        return other ? [{ entrant, other }] : [];
      });
      if (pairs.length === 0) return [];
      const before = images.map(({ name }) =>
        pairs.map(({ entrant }) => a.row(criterion, entrant, name)?.value ?? null),
      );
      const after = images.map(({ name }) => pairs.map(({ other }) => b.row(twin, other, name)?.value ?? null));
      const changes = rankChanges(before, after, criterion.better);
      const places = pairs.map(({ entrant }, index) => ({
        entrant,
        before: changes.before[index],
        after: changes.after[index],
      }));
      return [{ criterion, layer, places, moved: changes.moved.length }];
    }),
  );
}
