import { readFileSync, realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { ModelError } from '../errors.ts';
import type { Graph } from './graph.ts';
import { type ReadOptions, readModel } from './read.ts';
import type { External } from './tensor-proto.ts';

/**
 * Reads an ONNX file and the external data files beside it.
 *
 * External data is read from the model's own folder only: absolute paths, `..` and links that leave it are refused.
 *
 * @throws ModelError when the file is missing, is a folder, or is no classifier that Cambium can read
 */
export async function loadModel(path: string, options: Pick<ReadOptions, 'size'> = {}): Promise<Graph> {
  const bytes = await readWhole(path);
  return readModel(bytes, { ...options, external: externalData(dirname(resolve(path))) });
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const expected = 'a readable ONNX file';
    const next = 'Check the path.';
    throw new ModelError({ where: `Model "${path}"`, expected, got: reasonOf(cause), next }, { cause });
  }
}

/** Reads parts of files inside a folder; each file is read once. */
function externalData(folder: string): External {
  const files = new Map<string, Uint8Array>();
  return (location, offset, length) => {
    const file = files.get(location) ?? readInside(folder, location);
    files.set(location, file);
    const end = length === undefined ? file.byteLength : offset + length;
    if (Number.isSafeInteger(offset) && offset >= 0 && end >= offset && end <= file.byteLength)
      return file.subarray(offset, end);
    throw externalError(location, `bytes ${offset} to ${end} within it`, `${file.byteLength} bytes`);
  };
}

function readInside(folder: string, location: string): Uint8Array {
  const inside = (path: string, root: string) => {
    const way = relative(root, path);
    return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  const refused = 'a path that leaves it';
  if (isAbsolute(location) || location.includes('\0') || !inside(resolve(folder, location), folder)) {
    throw externalError(location, "a file in the model's own folder", refused);
  }
  try {
    const file = realpathSync(resolve(folder, location));
    if (!inside(file, realpathSync(folder))) throw externalError(location, "a file in the model's own folder", refused);
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    throw externalError(location, "a readable file in the model's own folder", reasonOf(cause), cause);
  }
}

function externalError(location: string, expected: string, got: string, cause?: unknown): ModelError {
  const next = 'Keep the data files beside the model as the exporter wrote them.';
  return new ModelError({ where: `external data "${location}"`, expected, got, next }, { cause });
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an unknown failure';
  return reasons[code] ?? code;
}

const reasons: { readonly [code: string]: string | undefined } = {
  ENOENT: 'no such file',
  EISDIR: 'a folder',
  EACCES: 'a file that may not be read',
  ENOTDIR: 'a path through a file that is no folder',
};
