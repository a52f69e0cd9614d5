import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { codeOf, UsageError } from '../errors.ts';
import { openFolder, reasonOf, writeAtomically } from '../io/atomic-write.ts';
import type { RunRecord } from '../study/records.ts';
import { files } from '../study/run-files.ts';
import type { RunFolder } from './read-run.ts';
import type { Study } from './study.ts';

/**
 * Writes several runs as one run folder, which can be reported on, compared and gone on with like any other.
 *
 * @throws UsageError when it cannot be written, or is one of the runs
 */
export async function writeMerged(study: Study, folder: string): Promise<void> {
  const same = study.parts.find((part) => resolve(part.folder) === resolve(folder));
  if (same) {
    throw new UsageError(
      `The runs cannot be merged into ${folder}, which is one of them; name another folder with -o.`,
    );
  }
  await openFolder(folder);
  for (const { folder: part } of study.parts) {
    for (const name of PICTURES) await copyFolder(join(part, name), join(folder, name));
  }
  await writeAtomically(join(folder, files.maps), lines(study.maps));
  await writeAtomically(join(folder, files.results), lines(study.rows));
  await writeAtomically(join(folder, files.run), `${JSON.stringify(mergedRecord(study), null, 2)}\n`);
}

function mergedRecord({ run, parts, rows, expected, absent }: Study): RunRecord {
  const runs = parts.map(({ run }) => run);
  const ends = runs.flatMap(({ ended }) => ended ?? []).sort();
  const total = (key: keyof RunRecord['spent']) => runs.reduce((sum, { spent }) => sum + spent[key], 0);
  return {
    ...run,
    shard: { index: 1, count: 1 },
    cells: expected,
    command: runs.map(({ command }) => command).join(' && cambium '),
    started: runs.map(({ started }) => started).sort()[0],
    ...(ends.length > 0 && { ended: ends[ends.length - 1] }),
    complete: absent.length === 0 && rows.length >= expected,
    spent: { seconds: total('seconds'), classifier: total('classifier'), forwards: total('forwards') },
  };
}

async function copyFolder(from: RunFolder['folder'], to: string): Promise<void> {
  await cp(from, to, { recursive: true }).catch((error) => {
    if (codeOf(error) === 'ENOENT') return; // a run without overlays, say
    throw new UsageError(`${from} cannot be copied to ${to}: ${reasonOf(error)}.`, { cause: error });
  });
}

function lines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

const PICTURES = ['inputs', 'maps', 'overlays'];
