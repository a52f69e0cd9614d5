import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
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

/** A file that rows are appended to, one flushed line each. */
export interface RowFile<Row> extends Disposable {
  /** @throws StorageError when the line cannot be written; what was there stays whole */
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
  return {
    append: (row) => appendLine(path, file, `${JSON.stringify(row)}\n`),
    [Symbol.dispose]: () => closeSync(file),
  };
}

function appendLine(path: string, file: number, line: string): void {
  const before = fstatSync(file).size;
  try {
    const bytes = Buffer.from(line);
    const written = writeSync(file, bytes);
    if (written < bytes.length) writeSync(file, bytes, written); // on a full disk this one throws
    fsyncSync(file);
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
