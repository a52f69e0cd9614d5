import type { ImageRecord } from '../../study/records.ts';
import { type Entrant, type RankedCriterion, rankedCriteria, type Study } from '../study.ts';

/** Images that stand in both runs under one name, with the same bytes. */
export function sharedImages(a: Study, b: Study): ImageRecord[] {
  return a.images.filter(({ name, sha256 }) =>
    b.images.some((other) => other.name === name && other.sha256 === sha256),
  );
}

/** Ranked criteria of run a, each with its twin in run b. */
export function sharedCriteria(a: Study, b: Study): { criterion: RankedCriterion; twin: RankedCriterion }[] {
  return rankedCriteria(a).flatMap((criterion) => {
    const twin = rankedCriteria(b).find(({ id }) => id === criterion.id);
    return twin ? [{ criterion, twin }] : [];
  });
}

/** The same technique at the same layer in another run. */
export function twinOf({ technique, layer }: Entrant, other: Study): Entrant | undefined {
  const ownTechnique = other.techniques.find(({ id }) => id === technique.id);
  const ownLayer = other.layers.find(({ name }) => name === layer.name);
  return ownTechnique && ownLayer && { technique: ownTechnique, layer: ownLayer };
}
