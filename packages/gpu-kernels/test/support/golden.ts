import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Tensor, tensor } from '@cambium/gpu-kernels';

/** One array of a golden set's manifest; `file` lies beside the manifest, and may be left out of a small set. */
export interface GoldenArray {
  readonly name: string;
  readonly file: string;
  readonly shape: readonly number[];
  readonly params: { readonly [name: string]: unknown };
  readonly check: GoldenCheck;
}

/** Statistics of an array: enough to compare one that is too large to store. */
export interface GoldenCheck {
  readonly shape: readonly number[];
  readonly sum: number;
  readonly l2: number;
  readonly min: number;
  readonly max: number;
  /** The first 16 values. */
  readonly first16: readonly number[];
  /** Values at the indices floor(k·n/16). */
  readonly strided16: readonly number[];
}

/** Numbers recorded by running the peers. */
export interface GoldenSet {
  readonly classes: readonly string[];
  readonly seed: number;
  readonly arrays: readonly GoldenArray[];
  readonly values: readonly {
    readonly name: string;
    readonly value: unknown;
    readonly params: GoldenArray['params'];
  }[];
  /** The numbers of an array, or undefined where the set leaves it out. */
  array(name: string): Tensor | undefined;
  /** A recorded value. @throws Error when there is none of that name */
  value<T>(name: string): T;
  /** A file of the set, as a path. */
  path(...parts: string[]): string;
}

/** The folder of golden numbers: CAMBIUM_GOLDEN, or the small set in the repository. */
export function goldenFolder(): string {
  return resolve(
    process.env.CAMBIUM_GOLDEN ?? fileURLToPath(new URL('../../../../test-fixtures/golden', import.meta.url)),
  );
}

/** One part of the golden set, such as `cam`. */
export function goldenSet(part: string): GoldenSet {
  const folder = join(goldenFolder(), part);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const files = new Map<string, string>(
    manifest.arrays.map((array: GoldenArray) => [array.name, join(folder, array.file)]),
  );
  return {
    ...manifest,
    array: (name) => {
      const file = files.get(name);
      return file && existsSync(file) ? readNpy(file) : undefined;
    },
    value: (name) => {
      const found = manifest.values.find((value: { name: string }) => value.name === name);
      if (!found) throw new Error(`The golden set ${folder} has no value ${name}.`);
      return found.value;
    },
    path: (...parts) => join(folder, ...parts),
  };
}

/** A hand-sized golden case, `tiny/NAME.json`: in the golden folder, or beside it. */
export function goldenTiny<T>(name: string): T {
  const inside = join(goldenFolder(), 'tiny', `${name}.json`);
  return JSON.parse(
    readFileSync(existsSync(inside) ? inside : join(goldenFolder(), '..', 'tiny', `${name}.json`), 'utf8'),
  );
}

/** Reads a NumPy file of version 1: float32 or int64, C order. */
export function readNpy(path: string): Tensor {
  const bytes = readFileSync(path);
  const length = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + length);
  const shape = (/'shape': \(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .flatMap((part) => (part.trim() ? [Number(part)] : []));
  const body = new Uint8Array(bytes.subarray(10 + length)).buffer;
  if (header.includes("'<f4'")) return tensor(new Float32Array(body), shape);
  if (header.includes("'<i8'")) return tensor(Float32Array.from(new BigInt64Array(body), Number), shape);
  throw new Error(`${path} is neither float32 nor int64: ${header}`);
}
