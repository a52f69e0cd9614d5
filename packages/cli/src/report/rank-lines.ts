import { table } from '../render/table.ts';
import { rankEntrants } from './analysis/rank-entrants.ts';
import { bestFirst } from './analysis/state-findings.ts';
import { formatRank } from './numbers.ts';
import { entrantsAt, rankedCriteria, type Study, techniqueTitle } from './study.ts';

/** The rank tables in lines for a terminal, best first, one table for each layer. */
export function rankLines(study: Study): string[] {
  const criteria = rankedCriteria(study);
  const head = criteria.map(({ title, better }) => `${title} ${better === 'higher' ? '↑' : '↓'}`);
  return study.layers.flatMap((layer) => {
    const rows = bestFirst(rankEntrants(study, entrantsAt(study, layer))).map(({ entrant, standings, meanRank }) => [
      techniqueTitle(study, entrant.technique),
      ...standings.map(({ rank }) => formatRank(rank)),
      formatRank(meanRank),
    ]);
    return [...table([`Ranks at ${layer.name}`, ...head, 'mean rank'], rows), ''];
  });
}
