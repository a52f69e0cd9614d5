import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { codeOf, messageOf, UsageError } from '../errors.ts';

/**
 * Writes a file so that it is either whole or not there: under a temporary name beside it, then renamed.
 *
 * @throws UsageError when the file cannot be written there
 */
export async function writeAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), temporaryName());
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one worth telling
    throw notWritten(path, error);
  }
}

/** The same at once, without giving the event loop a turn. @throws UsageError when the file cannot be written there */
export function writeAtomicallyNow(path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), temporaryName());
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw notWritten(path, error);
  }
}

function notWritten(path: string, error: unknown): UsageError {
  return new UsageError(`${path} cannot be written: ${reasonOf(error)}. Choose another folder with -o.`, {
    cause: error,
  });
}

/**
 * Makes a folder where it is missing and makes sure that files can be written into it, by writing one and taking it
 * away.
 *
 * @throws UsageError when that fails
 */
export async function openFolder(folder: string): Promise<void> {
  const probe = join(folder, temporaryName());
  try {
    await makeFolder(folder);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    throw new UsageError(
      `The output folder ${folder} cannot be written to: ${reasonOf(error)}. Choose another with -o.`,
      { cause: error },
    );
  }
}

// not mkdir's own `recursive`: in a folder of the kernel, such as /proc, that tries for ever
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT') throw error;
    await makeFolder(dirname(resolve(path)));
    await mkdir(path);
  }
}

function temporaryName(): string {
  return `.${process.pid}-${temporaryNames++}.tmp`;
}

/** Why a file operation failed, in words. */
export function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? messageOf(error);
}

const REASONS: { readonly [code: string]: string } = {
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file may not grow further',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EEXIST: 'a file of that name is there',
  ENAMETOOLONG: 'the name is too long',
};

let temporaryNames = 0;
