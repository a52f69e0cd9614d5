import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../errors.ts';
import { reasonOf } from '../io/atomic-write.ts';
import { files } from './run-files.ts';
import { StorageError } from './storage-error.ts';

/**
 * Makes this process the only one that writes to a run folder, until the lock is disposed.
 *
 * A lock is stale when its process is gone (on this machine: no such process, or another that took its number; on
 * another machine: not refreshed for two minutes); a stale lock is taken over.
 *
 * @throws LockedError when another process holds the folder, naming it
 */
export function lockRun(folder: string): Disposable {
  const path = join(folder, files.lock);
  if (!create(path)) {
    takeOver(path, folder);
    if (!create(path)) throw heldBy(folder, readHolder(path));
  }
  const refresh = setInterval(() => touch(path), REFRESH);
  refresh.unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(refresh);
      if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

/** Another process writes to the folder. The command ends with exit code 1: later it may go. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

const holderSchema = z.object({ pid: z.number(), host: z.string(), started: z.string(), born: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** @returns false when there is a lock already */
function create(path: string): boolean {
  const holder = { pid: process.pid, host: hostname(), started: new Date().toISOString(), born: birthOf(process.pid) };
  try {
    const file = openSync(path, 'wx');
    writeSync(file, JSON.stringify(holder satisfies Holder));
    closeSync(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new StorageError(path, reasonOf(error), { cause: error });
  }
}

// only one process at a time looks and removes: otherwise a second could remove the lock that the first has just made
function takeOver(path: string, folder: string): void {
  const guard = `${path}.stale`;
  if (ageOf(guard) > GUARD_AGE) rmSync(guard, { force: true });
  if (!create(guard)) throw heldBy(folder, readHolder(path));
  try {
    const holder = readHolder(path);
    if (!isStale(path, holder)) throw heldBy(folder, holder);
    rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

function isStale(path: string, holder: Holder | undefined): boolean {
  if (!holder) return ageOf(path) > GUARD_AGE; // being written, or torn by a kill
  if (holder.host !== hostname()) return ageOf(path) > OTHER_HOST_AGE;
  if (!isAlive(holder.pid)) return true;
  return holder.born !== '' && birthOf(holder.pid) !== holder.born;
}

function readHolder(path: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined; // gone, or half written
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // sends nothing
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM'; // it is there, and somebody else's
  }
}

/** When a process was started, in ticks since the machine was; empty where the system does not tell. */
function birthOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]; // field 22; the name before it may hold spaces
  } catch {
    return '';
  }
}

/** Seconds since a file was last written; infinite when it is not there. */
function ageOf(path: string): number {
  try {
    return (Date.now() - statSync(path).mtimeMs) / 1000;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    return; // the folder was taken away; the next row will say so
  }
}

function heldBy(folder: string, holder: Holder | undefined): LockedError {
  const who = holder ? `process ${holder.pid} on ${holder.host}, since ${holder.started}` : 'another process';
  return new LockedError(
    `${folder} is being written by ${who}: wait for it, stop it, or choose another folder with -o.`,
  );
}

const REFRESH = 20_000; // milliseconds
const GUARD_AGE = 10; // seconds
const OTHER_HOST_AGE = 120; // seconds
