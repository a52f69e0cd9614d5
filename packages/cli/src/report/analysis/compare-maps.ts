import { mapDifference, type Value } from '@cambium/metrics';
import { files } from '../../study/run-files.ts';
import { placeOf, readMap } from '../read-map.ts';
import { allEntrants, type Entrant, type Study } from '../study.ts';
import { sharedImages, twinOf } from './twins.ts';

/** How far the final maps of one entrant are apart in two runs. */
export interface MapComparison {
  readonly entrant: Entrant;
  /** Images of which both runs have a map of one size. */
  readonly images: number;
  /** Largest difference of a pixel, and the image where it is; maps are from 0 to 1. */
  readonly largest: number;
  readonly at: string;
  /** Least rank correlation of two maps over their pixels; null where all are constant. */
  readonly spearman: Value;
}

/** Compares the maps of every technique and layer that both runs have on the images that both have. Reads their files. */
export async function compareMaps(a: Study, b: Study): Promise<MapComparison[]> {
  const found: MapComparison[] = [];
  for (const entrant of allEntrants(a)) {
    const other = twinOf(entrant, b);
    if (!other) continue;
    const differences = [];
    for (const { name } of sharedImages(a, b)) {
      const ours = await readMap(a.parts, files.map(placeOf(entrant, name)));
      const theirs = await readMap(b.parts, files.map(placeOf(other, name)));
      if (ours === null || theirs === null || ours.shape.join() !== theirs.shape.join()) continue;
      differences.push({ name, ...mapDifference(ours, theirs) });
    }
    if (differences.length === 0) continue;
    const worst = differences.reduce((most, next) => (next.largest > most.largest ? next : most));
    const correlations = differences.flatMap(({ spearman }) => spearman ?? []);
    found.push({
      entrant,
      images: differences.length,
      largest: worst.largest,
      at: worst.name,
      spearman: correlations.length === 0 ? null : Math.min(...correlations),
    });
  }
  return found;
}
