import { type AnyMetric, metrics } from '@cambium/metrics';
import type { LoopTiming, ResultRow } from '../../study/records.ts';
import { allEntrants, type Criterion, type Entrant, type Study } from '../study.ts';

/** What the maps of one entrant cost. */
export interface MapCost {
  readonly entrant: Entrant;
  readonly maps: number;
  readonly forwards: number;
  readonly seconds: number;
  /** Bytes by which the process grew in the map that grew it most; null where the system does not tell. */
  readonly growth: number | null;
}

/** What one criterion cost, all entrants together. */
export interface CriterionCost {
  readonly criterion: Criterion;
  readonly cells: number;
  /** Images classified. */
  readonly forwards: number;
  readonly explanations: number;
  readonly seconds: number;
  /** Forwards of a loop that shares nothing between cells, by the metric's cost; null for an unknown metric. */
  readonly unshared: number | null;
}

/** What a run cost. */
export interface Costs {
  readonly maps: readonly MapCost[];
  readonly criteria: readonly CriterionCost[];
  /** Of all sessions, or what the rows tell where that is more: a killed session's last seconds are on no bill. */
  readonly seconds: number;
  readonly forwards: number;
  /** Most bytes that a process had in use while it made a map; null where the system does not tell. */
  readonly peak: number | null;
  /** What a loop that shares nothing and classifies one image at a time would take; null where it was not timed. */
  readonly loop: LoopCost | null;
  /** Share of the sessions' seconds that was spent within the classifier; null where their bills lack much of what the rows tell. */
  readonly classifierShare: number | null;
}

/** A run against a plain loop over the same maps and scores. */
export interface LoopCost {
  /** Images that either classifies: counted. The loop's are an upper bound where a cost depends on the map. */
  readonly images: { readonly loop: number; readonly run: number };
  /** Timed on this machine when the run began. */
  readonly timing: LoopTiming;
  /** Seconds of the loop's images, at the time that one took. */
  readonly seconds: number;
}

/** Sums forwards and seconds of maps and scores. */
export function sumCosts(study: Study): Costs {
  const maps = allEntrants(study).map((entrant) => mapCost(study, entrant));
  const criteria = study.criteria.map((criterion) => criterionCost(study, criterion));
  const spent = study.parts.map(({ run }) => run.spent);
  const seconds = sum(spent.map((part) => part.seconds));
  const classifier = sum(spent.map((part) => part.classifier));
  const rows = [...maps, ...criteria];
  const told = sum(rows.map((row) => row.seconds));
  return {
    maps,
    criteria,
    seconds: Math.max(seconds, told),
    forwards: Math.max(sum(spent.map((part) => part.forwards)), sum(rows.map((row) => row.forwards))),
    peak: largest(study.maps.flatMap(({ memory }) => memory?.peak ?? [])),
    loop: loopCost(study, maps, criteria),
    classifierShare: seconds > 0 && seconds > 0.9 * told ? classifier / seconds : null,
  };
}

function loopCost(study: Study, maps: readonly MapCost[], criteria: readonly CriterionCost[]): LoopCost | null {
  const timing = study.parts.find(({ run }) => run.loop)?.run.loop;
  const unshared = criteria.map((row) => row.unshared);
  const run = sum([...maps, ...criteria].map(({ forwards }) => forwards));
  if (!timing || unshared.includes(null) || run === 0) return null;
  const ofMaps = maps.map((row) => row.maps * forwardsOfMap(study, row.entrant));
  const loop = sum([...ofMaps, ...unshared.map((count) => count ?? 0)]); // none is null
  return { images: { loop, run }, timing, seconds: loop * timing.single };
}

/** Seconds that the cells of a criterion took for one entrant. */
export function secondsOf(study: Study, criterion: Criterion, entrant: Entrant): number {
  return sum(study.images.map(({ name }) => study.row(criterion, entrant, name)?.seconds ?? 0));
}

function mapCost(study: Study, entrant: Entrant): MapCost {
  const maps = study.images.flatMap(({ name }) => study.map(entrant, name) ?? []);
  return {
    entrant,
    maps: maps.length,
    forwards: sum(maps.map(({ forwards }) => forwards)),
    seconds: sum(maps.map((map) => map.seconds)),
    growth: largest(maps.flatMap(({ memory }) => (memory ? memory.peak - memory.before : []))),
  };
}

function largest(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b));
}

function criterionCost(study: Study, criterion: Criterion): CriterionCost {
  const cells = allEntrants(study).flatMap((entrant) =>
    study.images.flatMap(({ name }) => {
      const row = study.row(criterion, entrant, name);
      return row ? [{ row, entrant }] : [];
    }),
  );
  const rows = cells.map(({ row }) => row);
  return {
    criterion,
    cells: rows.length,
    forwards: sum(rows.map(({ forwards }) => forwards)),
    explanations: sum(rows.map(({ explanations }) => explanations)),
    seconds: sum(rows.map((row) => row.seconds)),
    unshared: unsharedForwards(study, cells),
  };
}

function unsharedForwards(study: Study, cells: readonly { row: ResultRow; entrant: Entrant }[]): number | null {
  const costs = cells.map(({ row, entrant }) => {
    const metric: AnyMetric | undefined = Object.hasOwn(metrics, row.metric)
      ? metrics[row.metric as keyof typeof metrics] // a key of the registry
      : undefined;
    if (metric === undefined) return null;
    const { forwards, shared } = metric.cost({ ...metric.defaults, ...row.options }, study.run.model.input);
    return forwards + sum(Object.values(shared)) + row.explanations * forwardsOfMap(study, entrant);
  });
  return costs.includes(null) ? null : sum(costs.map((cost) => cost ?? 0));
}

// the dearest map of the entrant: the others had found some of their forwards done
function forwardsOfMap(study: Study, entrant: Entrant): number {
  return Math.max(1, ...study.images.map(({ name }) => study.map(entrant, name)?.forwards ?? 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
