import type { Tensor } from '@cambium/gpu-kernels';
import { spearman, summarise } from '@cambium/metrics';
import type { ImageRecord } from '../../study/records.ts';
import { allEntrants, type Study } from '../study.ts';
import { meanOf } from './rank-entrants.ts';

/** How unusual an image is. */
export interface ImageJudgement {
  readonly image: ImageRecord;
  /** 1 − the mean rank correlation between the techniques' raw maps; 0 when all agree; null without maps. */
  readonly disagreement: number | null;
  /** Scores of the image, and how many lie outside Tukey's fences among those of the other images. */
  readonly scores: number;
  readonly outlying: number;
  /** More than a tenth of its scores are outlying. */
  readonly outlier: boolean;
}

/**
 * @param coarse raw maps: `[layer][technique][image]`
 * @source fences at 1.5 interquartile ranges: Tukey 1977, Exploratory Data Analysis
 */
export function judgeImages(
  study: Study,
  coarse: readonly (readonly (readonly (Tensor | null)[])[])[],
): ImageJudgement[] {
  const outlying = countOutlying(study);
  return study.images.map((image, index) => ({
    image,
    disagreement: disagreementOf(coarse.map((layer) => layer.map((maps) => maps[index]))),
    ...outlying[index],
    outlier: outlying[index].outlying > 0.1 * outlying[index].scores,
  }));
}

function disagreementOf(layers: readonly (readonly (Tensor | null)[])[]): number | null {
  const correlations = layers.flatMap((maps) =>
    maps.flatMap((first, index) => maps.slice(index + 1).map((second) => correlate(first, second))),
  );
  const mean = meanOf(correlations);
  return mean === null ? null : 1 - mean;
}

function correlate(a: Tensor | null, b: Tensor | null): number | null {
  if (a === null || b === null || a.data.length !== b.data.length) return null;
  return spearman(Array.from(a.data), Array.from(b.data));
}

function countOutlying(study: Study): { scores: number; outlying: number }[] {
  const counts = study.images.map(() => ({ scores: 0, outlying: 0 }));
  for (const criterion of study.criteria) {
    for (const entrant of allEntrants(study)) {
      const values = study.scores(criterion, entrant);
      const fences = fencesOf(values);
      values.forEach((value, image) => {
        if (value === null || fences === null) return;
        counts[image].scores++;
        if (value < fences.low || value > fences.high) counts[image].outlying++;
      });
    }
  }
  return counts;
}

function fencesOf(values: readonly (number | null)[]): { low: number; high: number } | null {
  const summary = summarise(values);
  if (summary === null || summary.count < FEWEST) return null;
  const { lowerQuartile, upperQuartile } = summary;
  const reach = 1.5 * (upperQuartile - lowerQuartile);
  return { low: lowerQuartile - reach, high: upperQuartile + reach };
}

const FEWEST = 5; // quartiles of fewer images mean nothing
