import { numpyRandom } from '@cambium/gpu-kernels';
import { bootstrapInterval, holm, type Interval, type Value, wilcoxonSignedRank } from '@cambium/metrics';
import { allEntrants, type Criterion, type Entrant, type Study } from '../study.ts';
import { meanOf } from './rank-entrants.ts';
import { sharedCriteria, sharedImages, twinOf } from './twins.ts';

/** What became of a technique at a layer under a criterion, from run a to run b. */
export type Verdict = 'better' | 'worse' | 'same' | 'lost';

/** One row of a comparison. */
export interface RunComparison {
  readonly criterion: Criterion;
  readonly entrant: Entrant;
  /** Images with a score in both. */
  readonly images: number;
  readonly before: Value;
  readonly after: Value;
  /** Mean of b − a over those images. */
  readonly difference: Value;
  /** 95 % bootstrap interval of that mean. */
  readonly interval: Interval | null;
  /** Wilcoxon, corrected by Holm over all rows. */
  readonly pValue: number;
  readonly verdict: Verdict;
}

/** Rows for what both runs have, and what they do not share. */
export interface Comparison {
  readonly rows: readonly RunComparison[];
  /** What cannot be compared, in words. */
  readonly notes: readonly string[];
}

/**
 * Paired differences b − a of everything that both runs scored on the same images.
 *
 * A row is worse when the 95 % interval of its mean difference lies wholly on the bad side of 0 and the mean moved by
 * more than a millionth of its size; it is lost when run b lacks a score that run a has.
 */
export function compareRuns(a: Study, b: Study): Comparison {
  const images = sharedImages(a, b);
  const pairs = sharedCriteria(a, b).flatMap(({ criterion, twin }) =>
    allEntrants(a).flatMap((entrant) => pairOf({ a, b, criterion, twin, entrant, images })),
  );
  const corrected = holm(pairs.map(({ pValue }) => pValue));
  return {
    rows: pairs.map((row, index) => ({ ...row, pValue: corrected[index] })),
    notes: notesOn(a, b, images.length),
  };
}

interface Pair {
  readonly a: Study;
  readonly b: Study;
  readonly criterion: Criterion;
  readonly twin: Criterion;
  readonly entrant: Entrant;
  readonly images: readonly { readonly name: string }[];
}

function pairOf({ a, b, criterion, twin, entrant, images }: Pair): RunComparison[] {
  const other = twinOf(entrant, b);
  if (other === undefined) return [];
  const scores = images.map(({ name }) => ({
    before: a.row(criterion, entrant, name)?.value ?? null,
    after: b.row(twin, other, name)?.value ?? null,
  }));
  const both = scores.filter(({ before, after }) => before !== null && after !== null);
  const differences = both.map(({ before, after }) => Number(after) - Number(before)); // neither is null
  const lost = scores.some(({ before, after }) => before !== null && after === null);
  const interval = bootstrapInterval(differences, { random: numpyRandom(a.run.seed) });
  const before = meanOf(both.map((score) => score.before));
  const found = {
    criterion,
    entrant,
    images: both.length,
    before,
    after: meanOf(both.map((score) => score.after)),
    difference: meanOf(differences),
    interval,
    pValue:
      wilcoxonSignedRank(
        differences,
        differences.map(() => 0),
      )?.pValue ?? 1,
  };
  return [{ ...found, verdict: lost ? 'lost' : verdictOf(criterion, interval, before) }];
}

function verdictOf({ better }: Criterion, interval: Interval | null, before: Value): Verdict {
  if (interval === null) return 'same';
  const least = 1e-6 * Math.abs(before ?? 0); // another machine's last bits
  const up = interval.low > least;
  const down = interval.high < -least;
  if (!up && !down) return 'same';
  return up === (better === 'higher') ? 'better' : 'worse';
}

function notesOn(a: Study, b: Study, images: number): string[] {
  const notes: string[] = [];
  if (a.run.model.sha256 !== b.run.model.sha256) notes.push('The models differ.');
  if (a.run.seed !== b.run.seed) notes.push(`The seeds differ: ${a.run.seed} and ${b.run.seed}.`);
  const computedBy = ({ device, precision = 'f32' }: Study['run']) => `${device} in ${precision}`;
  if (computedBy(a.run) !== computedBy(b.run)) {
    notes.push(`a was computed by ${computedBy(a.run)}, b by ${computedBy(b.run)}.`);
  }
  if (images < Math.max(a.images.length, b.images.length)) {
    notes.push(`${images} images are in both runs, of ${a.images.length} and ${b.images.length}.`);
  }
  const only = (kind: string, own: readonly string[], others: readonly string[]) => {
    const missing = own.filter((name) => !others.includes(name));
    if (missing.length > 0) notes.push(`Only one run has ${kind} ${missing.join(', ')}.`);
  };
  for (const [one, other] of [[a, b] as const, [b, a] as const]) {
    only(
      'the criteria',
      one.criteria.map(({ id }) => id),
      other.criteria.map(({ id }) => id),
    );
    only(
      'the techniques',
      one.techniques.map(({ id }) => id),
      other.techniques.map(({ id }) => id),
    );
    only(
      'the layers',
      one.layers.map(({ name }) => name),
      other.layers.map(({ name }) => name),
    );
  }
  const changed = a.criteria.filter(({ id, options }) => {
    const twin = b.criteria.find((criterion) => criterion.id === id);
    return twin !== undefined && JSON.stringify(twin.options) !== JSON.stringify(options);
  });
  if (changed.length > 0) notes.push(`Options differ of ${changed.map(({ title }) => title).join(', ')}.`);
  return notes;
}
