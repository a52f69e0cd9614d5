import { numpyRandom } from '@cambium/gpu-kernels';
import { bootstrapInterval, type Interval, type Summary, summarise } from '@cambium/metrics';
import type { Criterion, Entrant, Study } from '../study.ts';

/** The scores of one entrant under one criterion. */
export interface ScoreSummary {
  readonly criterion: Criterion;
  readonly entrant: Entrant;
  /** Null when no image has a score. */
  readonly summary: Summary | null;
  /** 95 % bootstrap interval of the mean. */
  readonly interval: Interval | null;
  /** Cells that ended with an error. */
  readonly failed: number;
  /** Cells that have no score for a reason, such as a constant map. */
  readonly undefined: number;
  /** Cells that were not run yet. */
  readonly open: number;
}

/** Location, spread and uncertainty of every entrant's scores under a criterion. */
export function summariseScores(study: Study, criterion: Criterion, entrants: readonly Entrant[]): ScoreSummary[] {
  return entrants.map((entrant) => {
    const values = study.scores(criterion, entrant);
    const rows = study.images.map(({ name }) => study.row(criterion, entrant, name));
    const empty = rows.filter((row) => row?.value === null);
    const failed = empty.filter((row) => row?.error !== undefined).length;
    return {
      criterion,
      entrant,
      summary: summarise(values),
      interval: bootstrapInterval(values, { random: numpyRandom(study.run.seed) }),
      failed,
      undefined: empty.length - failed,
      open: rows.filter((row) => row === undefined).length,
    };
  });
}
