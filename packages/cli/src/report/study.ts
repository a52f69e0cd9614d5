import { type AnyMetric, type Direction, metrics, type Value } from '@cambium/metrics';
import type { ImageRecord, LayerRecord, MapRow, ResultRow, RunRecord, TechniqueRecord } from '../study/records.ts';
import type { RunFolder } from './read-run.ts';

/** A criterion: a metric with its options. */
export interface Criterion {
  /** Part of file names; unique in the study. */
  readonly id: string;
  readonly title: string;
  /** Name of the metric. */
  readonly metric: string;
  readonly category: string;
  /** Null where neither end is good, as with regions in random order: it is shown and not ranked. */
  readonly better: Direction | null;
  readonly source: string;
  readonly options: { readonly [name: string]: unknown };
}

/** A criterion that ranks. */
export type RankedCriterion = Criterion & { readonly better: Direction };

/** A technique at a layer. */
export interface Entrant {
  readonly technique: TechniqueRecord;
  readonly layer: LayerRecord;
}

/** One or several runs of one suite as one body of results. */
export interface Study {
  /** What the runs have in common, as the first of them tells it, with the images of all. */
  readonly run: RunRecord;
  readonly parts: readonly RunFolder[];
  readonly images: readonly ImageRecord[];
  readonly techniques: readonly TechniqueRecord[];
  readonly layers: readonly LayerRecord[];
  readonly criteria: readonly Criterion[];
  readonly rows: readonly ResultRow[];
  readonly maps: readonly MapRow[];
  /** Cells that the runs set out to fill. */
  readonly expected: number;
  /** Such as `shard 3 of 3`. */
  readonly absent: readonly string[];
  row(criterion: Criterion, entrant: Entrant, image: string): ResultRow | undefined;
  /** A value for each image, null where there is none. */
  scores(criterion: Criterion, entrant: Entrant): Value[];
  map(entrant: Entrant, image: string): MapRow | undefined;
}

/** What `openStudy` puts in order. */
export interface StudyContents {
  readonly run: RunRecord;
  readonly parts: readonly RunFolder[];
  readonly rows: readonly ResultRow[];
  readonly maps: readonly MapRow[];
  readonly expected: number;
  readonly absent: readonly string[];
}

/** Puts rows where tables and charts look for them. */
export function openStudy(contents: StudyContents): Study {
  const { run } = contents;
  const criteria = listCriteria(run);
  const rows = new Map<string, ResultRow>();
  for (const row of contents.rows) {
    const criterion = criteria.find((candidate) => isOf(candidate, row, criteria));
    if (criterion) rows.set(keyOf(criterion.id, row.layer, row.technique, row.image), row);
  }
  const maps = new Map(contents.maps.map((map) => [keyOf(map.layer, map.technique, map.image), map]));
  const { images, techniques, layers } = run;
  const row: Study['row'] = (criterion, { technique, layer }, image) =>
    rows.get(keyOf(criterion.id, layer.name, technique.id, image));
  return {
    ...contents,
    images,
    techniques,
    layers,
    criteria,
    row,
    scores: (criterion, entrant) => images.map(({ name }) => row(criterion, entrant, name)?.value ?? null),
    map: ({ technique, layer }, image) => maps.get(keyOf(layer.name, technique.id, image)),
  };
}

/** Those criteria that rank. */
export function rankedCriteria({ criteria }: Study): RankedCriterion[] {
  return criteria.filter((criterion): criterion is RankedCriterion => criterion.better !== null);
}

/** Every technique at this layer, in the suite's order. */
export function entrantsAt({ techniques }: Study, layer: LayerRecord): Entrant[] {
  return techniques.map((technique) => ({ technique, layer }));
}

/** Every technique at every layer. */
export function allEntrants(study: Study): Entrant[] {
  return study.layers.flatMap((layer) => entrantsAt(study, layer));
}

/** Names of the techniques as charts and tables write them: the title, and the form where two share it. */
export function techniqueTitle({ techniques }: Study, { title, form, id }: TechniqueRecord): string {
  const alike = techniques.filter((other) => other.title === title);
  if (alike.length === 1) return title;
  const distinct = alike.filter((other) => other.form === form).length === 1 && form !== '';
  return `${title} (${distinct ? form : id})`;
}

function listCriteria({ metrics: measured }: RunRecord): Criterion[] {
  return measured.map(({ name, options }, index) => {
    const known: AnyMetric | undefined = Object.hasOwn(metrics, name)
      ? metrics[name as keyof typeof metrics] // a key of the registry
      : undefined;
    const alike = measured.filter((other) => other.name === name).map((other) => other.options);
    const suffix = alike.length > 1 ? differences(options, alike, index) : '';
    const title = known?.title ?? name;
    return {
      id: suffix === '' ? name : `${name}.${suffix.replace(/[^\p{L}\p{N}]+/gu, '-')}`,
      title: suffix === '' ? title : `${title} (${suffix})`,
      metric: name,
      category: known?.category ?? 'other',
      better: known ? directionOf(known.better, options) : null,
      source: known?.source ?? '',
      options,
    };
  });
}

// with the least relevant first, what was bad is good; a random order is a yardstick
function directionOf(better: Direction, { order }: { readonly [name: string]: unknown }): Direction | null {
  if (order === 'random') return null;
  if (order === 'lerf') return better === 'higher' ? 'lower' : 'higher';
  return better;
}

// what tells criteria of one metric apart: the options in which they are not all equal
function differences(own: Criterion['options'], alike: readonly Criterion['options'][], index: number): string {
  const differing = Object.keys(own).filter((name) =>
    alike.some((other) => JSON.stringify(other[name]) !== JSON.stringify(own[name])),
  );
  return differing.map((name) => `${name} ${String(own[name])}`).join(', ') || String(index + 1);
}

function isOf({ metric, options }: Criterion, row: ResultRow, criteria: readonly Criterion[]): boolean {
  if (metric !== row.metric) return false;
  if (criteria.filter((other) => other.metric === metric).length === 1) return true;
  return Object.keys(options).every((name) => JSON.stringify(options[name]) === JSON.stringify(row.options[name]));
}

function keyOf(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
