import { closeSync, fstatSync, fsync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { z } from 'zod';
import { codeOf } from '../errors.ts';
import { reasonOf } from '../io/atomic-write.ts';
import { StorageError } from './storage-error.ts';

/** What a file of rows held. */
export interface ReadRows<Row> {
  /** In the file's order; where a key stands twice, as after a failure that was tried again, only its last row. */
  readonly rows: readonly Row[];
  /** Lines that were no rows, apart from a torn last one. */
  readonly damaged: number;
}

/**
 * Reads a file of JSON Lines. A last line without its line break was torn by a kill and does not count; a file that is
 * not there has no rows.
 */
export function readRows<Row extends { readonly key: string }>(path: string, schema: z.ZodType<Row>): ReadRows<Row> {
  const text = readText(path);
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  const rows = new Map<string, Row>();
  let damaged = 0;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const row = parseRow(line, schema);
    if (row === undefined) damaged++;
    else {
      rows.delete(row.key); // the later row takes the later place
      rows.set(row.key, row);
    }
  }
  return { rows: [...rows.values()], damaged };
}

/** A file that rows are appended to, a line each. */
export interface RowFile<Row> extends Disposable {
  /**
   * Hands the line to the system, where a kill of this process does not reach it, and has it flushed to the disk while the
   * work goes on.
   *
   * @throws StorageError when it, or one before it, cannot be written; what was there stays whole
   */
  append(row: Row): void;
}

/**
 * Opens a file of JSON Lines for appending; a torn last line is cut off first.
 *
 * @throws StorageError when it cannot be opened
 */
export function openRows<Row>(path: string): RowFile<Row> {
  const text = readText(path);
  const whole = Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1));
  const file = guarded(path, () => openSync(path, 'a'));
  guarded(path, () => {
    if (fstatSync(file).size > whole) ftruncateSync(file, whole);
  });
  const flushing = openFlusher(path, file);
  return {
    append(row) {
      flushing.check();
      appendLine(path, file, `${JSON.stringify(row)}\n`);
      flushing.request();
    },
    [Symbol.dispose]: () => {
      fsyncSync(file);
      if (!flushing.busy()) closeSync(file);
      else flushing.whenIdle(() => closeSync(file));
    },
  };
}

/** Flushes a file in the background, one flush at a time; what is asked for meanwhile is flushed by the next. */
function openFlusher(path: string, file: number) {
  let state: 'idle' | 'busy' | 'asked' = 'idle';
  let fault: unknown;
  let onIdle: (() => void) | undefined;
  function request(): void {
    if (state !== 'idle') {
      state = 'asked';
      return;
    }
    state = 'busy';
    fsync(file, (error) => {
      fault ??= error ?? undefined;
      const again = state === 'asked' && !onIdle;
      state = 'idle';
      if (again) request();
      else onIdle?.();
    });
  }
  return {
    request,
    busy: () => state !== 'idle',
    whenIdle(work: () => void): void {
      onIdle = work;
    },
    check(): void {
      if (fault !== undefined) throw new StorageError(path, reasonOf(fault), { cause: fault });
    },
  };
}

function appendLine(path: string, file: number, line: string): void {
  const before = fstatSync(file).size;
  try {
    const bytes = Buffer.from(line);
    const written = writeSync(file, bytes);
    if (written < bytes.length) writeSync(file, bytes, written); // on a full disk this one throws
  } catch (error) {
    ftruncateSync(file, before); // takes back what was written of the line
    throw new StorageError(path, reasonOf(error), { cause: error });
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new StorageError(path, reasonOf(error), { cause: error });
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new StorageError(path, reasonOf(error), { cause: error });
  }
}

function parseRow<Row>(line: string, schema: z.ZodType<Row>): Row | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // not JSON at all
  }
}
