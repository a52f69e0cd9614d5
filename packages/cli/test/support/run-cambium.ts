import { type ChildProcess, execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The checkout. */
export const root = join(import.meta.dirname, '..', '..', '..', '..');

/** How a run of the command ended. */
export interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command from source as a child process, as a user would. */
export function runCambium(...args: readonly string[]): Promise<Ended> {
  return startCambium(...args).ended;
}

/** The same, with the process while it runs. */
export function startCambium(...args: readonly string[]): {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
} {
  const command = ['--conditions=source', join(root, 'packages', 'cli', 'src', 'main.ts'), ...args];
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, CI: '1' };
  const { promise: ended, resolve } = Promise.withResolvers<Ended>();
  const child = execFile(process.execPath, command, { cwd: root, env, maxBuffer: 1 << 24 }, (_, output, errors) =>
    resolve({ code: child.exitCode ?? -1, output, errors }),
  );
  return { child, ended };
}

/** Runs the command where no file may grow beyond some KiB: a stand-in for a full disk that needs no rights. */
export function runCambiumLimited(kibibytes: number, ...args: readonly string[]): Promise<Ended> {
  const script = `ulimit -f ${2 * kibibytes}; exec "$0" "$@"`; // in blocks of 512 bytes
  const command = [process.execPath, '--conditions=source', join(root, 'packages', 'cli', 'src', 'main.ts'), ...args];
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const child = execFile(
    'sh',
    ['-c', script, ...command],
    { cwd: root, env: { ...process.env, NO_COLOR: '1' } },
    (_, output, errors) => resolve({ code: child.exitCode ?? -1, output, errors }),
  );
  return promise;
}

/** A fresh temporary folder. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'cambium-test-'));
}
