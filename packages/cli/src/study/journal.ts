import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { reasonOf } from '../io/atomic-write.ts';
import { StorageError } from './storage-error.ts';

/** Numbers under a key, and how many images were classified to get them. */
export interface JournalEntry {
  /** 32 hexadecimal digits. */
  readonly key: string;
  readonly cost: number;
  readonly numbers: Float32Array;
}

/**
 * What an unfinished image has cost so far: a file of numbers under keys, appended batch after batch, so that a kill
 * loses the batch it interrupts and no more.
 */
export interface Journal extends Disposable {
  /** The numbers of a key, and what of their cost no finished row has told yet. */
  find(key: string): { readonly numbers: Float32Array<ArrayBuffer>; readonly untold: number } | undefined;
  /** @throws StorageError when they cannot be written */
  add(entries: readonly JournalEntry[]): void;
  /** A row has told the cost of all that is here. */
  settle(): void;
  /** Takes the file away: the image is finished. */
  remove(): void;
}

/**
 * Opens the journal of an image; what a kill left torn at its end is cut off.
 *
 *     record = key (16 bytes), cost, count, CRC-32 of the numbers (u32 each), count × float32; all little-endian
 *
 * A record whose key is all zeros settles those before it.
 *
 * @throws StorageError when the file cannot be made or read
 */
export function openJournal(path: string): Journal {
  const file = guard(path, () => {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, 'a+');
  });
  const places = new Map<string, Place>();
  let end = guard(path, () => scan(file, places));

  function append(records: readonly Buffer[]): void {
    const bytes = Buffer.concat(records);
    try {
      const written = writeSync(file, bytes);
      if (written < bytes.length) writeSync(file, bytes, written); // on a full disk this one throws
    } catch (error) {
      ftruncateSync(file, end);
      throw new StorageError(path, reasonOf(error), { cause: error });
    }
    end += bytes.length;
  }

  return {
    find(key) {
      const place = places.get(key);
      if (!place) return undefined;
      const untold = place.untold;
      place.untold = 0; // who finds it tells it
      return { numbers: guard(path, () => readNumbers(file, place)), untold };
    },
    add(entries) {
      let offset = end;
      append(entries.map(encode));
      for (const { key, numbers } of entries) {
        places.set(key, { offset: offset + HEADER, count: numbers.length, untold: 0 });
        offset += HEADER + 4 * numbers.length;
      }
    },
    settle: () => append([encode({ key: SETTLED, cost: 0, numbers: new Float32Array() })]),
    remove: () => rmSync(path, { force: true }),
    [Symbol.dispose]: () => closeSync(file),
  };
}

interface Place {
  readonly offset: number;
  readonly count: number;
  untold: number;
}

/** Reads the heads of all whole records and cuts the file behind them. @returns its length */
function scan(file: number, places: Map<string, Place>): number {
  const { size } = fstatSync(file);
  const head = Buffer.alloc(HEADER);
  let offset = 0;
  while (offset + HEADER <= size) {
    readSync(file, head, 0, HEADER, offset);
    const key = head.toString('hex', 0, 16);
    const place = { offset: offset + HEADER, count: head.readUInt32LE(20), untold: head.readUInt32LE(16) };
    const next = place.offset + 4 * place.count;
    if (next > size || !isWhole(file, place, head.readUInt32LE(24))) break;
    if (key === SETTLED) for (const known of places.values()) known.untold = 0;
    else places.set(key, place);
    offset = next;
  }
  if (offset < size) ftruncateSync(file, offset);
  return offset;
}

function isWhole(file: number, place: Place, checksum: number): boolean {
  return crc32(bytesOf(readNumbers(file, place))) === checksum;
}

function readNumbers(file: number, { offset, count }: Place): Float32Array<ArrayBuffer> {
  const numbers = new Float32Array(count);
  readSync(file, bytesOf(numbers), 0, 4 * count, offset);
  return numbers;
}

function encode({ key, cost, numbers }: JournalEntry): Buffer {
  const head = Buffer.alloc(HEADER);
  head.write(key, 0, 'hex');
  head.writeUInt32LE(cost, 16);
  head.writeUInt32LE(numbers.length, 20);
  head.writeUInt32LE(crc32(bytesOf(numbers)), 24);
  return Buffer.concat([head, bytesOf(numbers)]);
}

function bytesOf(numbers: Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function guard<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new StorageError(path, reasonOf(error), { cause: error });
  }
}

const HEADER = 28; // bytes
const SETTLED = '0'.repeat(32);
