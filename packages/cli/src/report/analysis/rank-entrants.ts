import { averageRanks, rank, type Value } from '@cambium/metrics';
import { type Criterion, type Entrant, type RankedCriterion, rankedCriteria, type Study } from '../study.ts';

/** The place of one entrant under one criterion. */
export interface Standing {
  readonly criterion: Criterion;
  /** Mean over the images that have a score; null where none has. */
  readonly mean: Value;
  /** 1 is best; null without a score, or with scores on fewer than half of the images that another entrant has. */
  readonly rank: Value;
  /** Images with a score. */
  readonly count: number;
}

/** An entrant's row in a rank table. */
export interface RankedEntrant {
  readonly entrant: Entrant;
  readonly standings: readonly Standing[];
  /** Over the criteria that count; null without any. */
  readonly meanRank: Value;
  /** The criteria that count: those under which every entrant has a rank that has one at all. */
  readonly over: readonly RankedCriterion[];
  /** 1 is best by mean rank; ties share. */
  readonly place: Value;
}

/**
 * Ranks entrants under every criterion by their mean scores and the criterion's direction; ties share the mean of their
 * places. A mean over a few images is not held against means over many: below half of the images that another entrant
 * has, an entrant has no rank, and a criterion under which some have none does not count in the mean ranks. In the order
 * given.
 *
 * @source spec 3.2
 */
export function rankEntrants(study: Study, entrants: readonly Entrant[]): RankedEntrant[] {
  const criteria = rankedCriteria(study);
  const columns = criteria.map((criterion) => rankUnder(study, criterion, entrants));
  const entered = entrants.map((_, index) => columns.some((column) => column[index].rank !== null));
  const complete = columns.map((column) => column.every(({ rank }, index) => rank !== null || !entered[index]));
  const counting = columns.filter((_, index) => complete[index]);
  const over = criteria.filter((_, index) => complete[index]);
  const meanRanks = entrants.map((_, index) => meanOf(counting.map((column) => column[index].rank)));
  const places = rank(meanRanks, 'lower');
  return entrants.map((entrant, index) => ({
    entrant,
    standings: columns.map((column) => column[index]),
    meanRank: meanRanks[index],
    place: places[index],
    over,
  }));
}

/** Mean of the values that are there; null of none. */
export function meanOf(values: readonly Value[]): Value {
  const there = values.filter((value) => value !== null);
  return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
}

/** The scores of entrants on images: `table[image][entrant]`. */
export function scoreTable(study: Study, criterion: Criterion, entrants: readonly Entrant[]): Value[][] {
  const columns = entrants.map((entrant) => study.scores(criterion, entrant));
  return study.images.map((_, image) => columns.map((column) => column[image]));
}

/** Mean rank of each entrant over the images, under one criterion. */
export function meanRanksOverImages(study: Study, criterion: RankedCriterion, entrants: readonly Entrant[]): Value[] {
  return averageRanks(scoreTable(study, criterion, entrants), criterion.better);
}

function rankUnder(study: Study, criterion: RankedCriterion, entrants: readonly Entrant[]): Standing[] {
  const scores = entrants.map((entrant) => study.scores(criterion, entrant));
  const means = scores.map(meanOf);
  const counts = scores.map((values) => values.filter((value) => value !== null).length);
  const most = Math.max(...counts);
  const ranks = rank(
    means.map((mean, index) => (counts[index] < most / 2 ? null : mean)),
    criterion.better,
  );
  return entrants.map((_, index) => ({
    criterion,
    mean: means[index],
    rank: ranks[index],
    count: counts[index],
  }));
}
