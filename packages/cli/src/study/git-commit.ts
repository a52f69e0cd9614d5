import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunRecord } from './records.ts';

/** The commit that a checkout is at, and whether files differ from it; undefined where git cannot tell. */
export async function gitCommit(root: string | undefined): Promise<RunRecord['git']> {
  if (root === undefined) return undefined;
  const git = async (...args: string[]) => (await promisify(execFile)('git', args, { cwd: root })).stdout.trim();
  try {
    return { commit: await git('rev-parse', 'HEAD'), dirty: (await git('status', '--porcelain')) !== '' };
  } catch {
    return undefined; // no git, or no checkout: a run does not need either
  }
}
