import { criticalDifference } from '@cambium/metrics';
import type { LayerRecord } from '../../study/records.ts';
import { counted, formatCount, formatP, formatRank, formatShare } from '../numbers.ts';
import { entrantsAt, rankedCriteria, type Study, techniqueTitle } from '../study.ts';
import { type RankedEntrant, rankEntrants } from './rank-entrants.ts';
import { sumCosts } from './sum-costs.ts';
import { LEVEL, testCriterion } from './test-criterion.ts';

/** The result in one sentence. */
export function headline(study: Study): string {
  const layers = study.layers.flatMap((layer) => bestAt(study, layer) ?? []);
  if (layers.length === 0) return 'No cell has a score yet.';
  const all = rankedCriteria(study).length;
  const said = layers.map(({ layer, names, rank, over }) => {
    const few = over < all ? ` over ${over} of them` : '';
    return `${names.join(' and ')} at ${layer.name} (mean rank ${formatRank(rank)}${few})`;
  });
  const lead = all === 1 ? 'Best under the one criterion' : `Best over ${all} criteria`;
  return `${lead}: ${said.join('; ')}. ${significance(study)}`;
}

/** What there is to know about the result, one line each: who is best at each layer, and how sure that is. */
export function stateFindings(study: Study): string[] {
  return [...study.layers.map((layer) => findingAt(study, layer)), weakness(study)].filter((line) => line !== '');
}

/** How far apart mean ranks must be, in words; empty with fewer than two entrants or images. */
export function weakness({ techniques, images }: Study): string {
  if (techniques.length < 2 || images.length < 2) return '';
  const distance = criticalDifference(techniques.length, images.length).toFixed(2);
  const most = techniques.length - 1;
  const said = `With ${counted(images.length, 'image')}, ${techniques.length} techniques need mean ranks more than ${distance} apart to be told apart (Nemenyi, 0.05)`;
  if (Number(distance) >= most)
    return `${said}; the largest distance there can be is ${most}: no pair can be told apart.`;
  return `${said}.`;
}

/** Places of an entrants' table, best first; those without a rank last. */
export function bestFirst(rows: readonly RankedEntrant[]): RankedEntrant[] {
  const last = Number.POSITIVE_INFINITY;
  return [...rows].sort((a, b) => (a.meanRank ?? last) - (b.meanRank ?? last));
}

function bestAt(study: Study, layer: LayerRecord) {
  const ranked = rankEntrants(study, entrantsAt(study, layer));
  const ranks = ranked.flatMap(({ meanRank }) => meanRank ?? []);
  if (ranks.length === 0) return null;
  const rank = Math.min(...ranks);
  const best = ranked.filter(({ meanRank }) => meanRank === rank);
  return {
    layer,
    rank,
    over: ranked[0].over.length,
    names: best.map(({ entrant }) => techniqueTitle(study, entrant.technique)),
  };
}

function significance(study: Study): string {
  if (study.techniques.length < 3) return '';
  const tests = study.layers.flatMap((layer) =>
    rankedCriteria(study).map((criterion) => testCriterion(study, criterion, entrantsAt(study, layer)).friedman),
  );
  const done = tests.filter((test) => test !== null);
  if (done.length === 0) return 'Too few images for a test of significance.';
  const found = done.filter(({ pValue }) => pValue <= LEVEL).length;
  const of = `${done.length} comparison${done.length === 1 ? '' : 's'} (criterion × layer)`;
  return `The techniques differ significantly in ${found} of ${of}.`;
}

function findingAt(study: Study, layer: LayerRecord): string {
  const best = bestAt(study, layer);
  if (best === null) return `${layer.name}: no score yet.`;
  const entrants = entrantsAt(study, layer);
  const said = rankedCriteria(study).flatMap((criterion) => {
    const { friedman } = testCriterion(study, criterion, entrants);
    return friedman ? [`${criterion.title} ${formatP(friedman.pValue)}`] : [];
  });
  const verb = best.names.length === 1 ? 'has' : 'share';
  const tests = said.length > 0 ? `; Friedman p: ${said.join(', ')}` : '';
  return `${layer.name}: ${best.names.join(' and ')} ${verb} the best mean rank, ${formatRank(best.rank)} of ${entrants.length}${tests}.`;
}

/** Forward passes, their rate, and the share of the time that they took; empty before a session has ended. */
export function costLine(study: Study): string {
  const { classifierShare, forwards, seconds } = sumCosts(study);
  if (forwards === 0 || seconds === 0) return '';
  const rate = (forwards / seconds).toFixed(1);
  const share = classifierShare === null ? '' : `, ${formatShare(classifierShare)} of the time within the network`;
  return `Cost: ${formatCount(forwards)} forward passes, ${rate} per second${share}.`;
}
