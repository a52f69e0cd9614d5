import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives a run of the tests one temporary folder for all that they write, and removes it when they are done. */
export async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'cambium-tests-'));
  process.env.TMPDIR = folder; // the workers take it over
  return () => rm(folder, { recursive: true, force: true });
}
