import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { RunRecord } from '../study/records.ts';
import type { RunFolder } from './read-run.ts';
import { openStudy, type Study } from './study.ts';

/**
 * Several runs or shards of one suite as one study. A cell that several have finished is taken from the first that has
 * a score for it.
 *
 * @throws UsageError when there is no run or they are of different suites
 */
export function mergeRuns(parts: readonly RunFolder[]): Study {
  if (parts.length === 0) throw new UsageError('There is no run to report on; name the folder of one.');
  for (const part of parts) requireSameSuite(parts[0], part);
  return openStudy({
    run: { ...parts[0].run, images: allImages(parts) },
    parts,
    rows: firstOfEach(
      parts.flatMap(({ rows }) => rows),
      ({ value }) => value !== null,
    ),
    maps: firstOfEach(
      parts.flatMap(({ maps }) => maps),
      () => true,
    ),
    expected: countCells(parts),
    absent: absentShards(parts.map(({ run }) => run)),
  });
}

function requireSameSuite(first: RunFolder, other: RunFolder): void {
  if (first.run.suiteKey === other.run.suiteKey) return;
  throw new UsageError(
    `${first.folder} and ${other.folder} are not of one suite: ${difference(first.run, other.run)}. ` +
      'Report on them one at a time, or compare them with cambium compare.',
  );
}

function difference(a: RunRecord, b: RunRecord): string {
  if (a.suite.name !== b.suite.name) return `"${a.suite.name}" and "${b.suite.name}"`;
  if (a.model.sha256 !== b.model.sha256) return 'their models differ';
  if (a.seed !== b.seed) return `their seeds are ${a.seed} and ${b.seed}`;
  const parts = ['images', 'techniques', 'layers', 'metrics', 'versions'] as const;
  const part = parts.find((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]));
  return part === undefined ? 'their settings differ' : `their ${part} differ`;
}

function firstOfEach<Row extends { readonly key: string }>(
  rows: readonly Row[],
  isGood: (row: Row) => boolean,
): readonly Row[] {
  const found = new Map<string, Row>();
  for (const row of rows) {
    const earlier = found.get(row.key);
    if (earlier === undefined || (!isGood(earlier) && isGood(row))) found.set(row.key, row);
  }
  return [...found.values()];
}

// a run knows the images that it has begun; together they stand in the suite's order
function allImages(parts: readonly RunFolder[]): RunRecord['images'] {
  const images = parts.flatMap(({ run }) => run.images);
  const byName = [...new Map(images.toReversed().map((image) => [image.name, image])).values()].reverse();
  const listed = listedFiles.safeParse(parts[0].run.suite.images).data ?? [];
  const place = new Map(listed.map(({ file }, index) => [file, index]));
  return byName.sort((a, b) => (place.get(a.file) ?? listed.length) - (place.get(b.file) ?? listed.length));
}

const listedFiles = z.array(z.object({ file: z.string() }));

// the same shard given twice sets out to do the same cells
function countCells(parts: readonly RunFolder[]): number {
  const shards = new Map<string, number>();
  for (const { run } of parts) {
    const key = `${run.shard.index}/${run.shard.count}`;
    shards.set(key, Math.max(run.cells, shards.get(key) ?? 0));
  }
  return [...shards.values()].reduce((sum, cells) => sum + cells, 0);
}

function absentShards(runs: readonly RunRecord[]): string[] {
  const counts = [...new Set(runs.map(({ shard }) => shard.count))];
  if (counts.length !== 1) return []; // cut in different ways: what is missing shows in the cells
  const [count] = counts;
  const present = new Set(runs.map(({ shard }) => shard.index));
  const indices = Array.from({ length: count }, (_, index) => index + 1);
  return indices.filter((index) => !present.has(index)).map((index) => `shard ${index} of ${count}`);
}
