import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { NameError } from '@cambium/cam';
import { z } from 'zod';
import { messageOf, UsageError } from '../errors.ts';
import { reasonOf } from './atomic-write.ts';
import { sha256 } from './sha256.ts';

const triple = z.tuple([z.number(), z.number(), z.number()]);

const modelEntry = z.object({
  name: z.string().min(1),
  /** Beside the manifest. */
  file: z.string().regex(/^[^/\\]+\.onnx$/, 'must be the name of an .onnx file beside the manifest'),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits'),
  labels: z.array(z.string().min(1)).min(1),
  /** channels, height, width */
  input: z.tuple([z.literal(3), z.int().positive(), z.int().positive()]),
  mean: triple,
  std: z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]),
  family: z.string().optional(),
  resize: z.enum(['squash', 'shorter-side-centre-crop']).optional(),
});

const manifestSchema = z.object({ models: z.array(modelEntry).min(1) });

/** What `manifest.json` says about one model. */
export type ModelEntry = z.infer<typeof modelEntry>;

/** A model file that was found, and what is known about it. */
export interface ModelFile {
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly entry?: ModelEntry;
}

/**
 * Finds a model by the path of its file or by its name in the manifest; without either, the manifest's first model.
 *
 * A file that a `manifest.json` beside it describes must have the digest written there.
 *
 * @param folder holds the manifest that names are looked up in; undefined where there is none
 * @throws NameError when there is no such model; UsageError when there is none at all or a manifest is not as it should be
 */
export async function findModel(model: string | undefined, folder: string | undefined): Promise<ModelFile> {
  if (model !== undefined && looksLikePath(model)) return modelAt(model);
  if (folder === undefined) {
    throw new UsageError('No model comes with this installation: name an .onnx file with --model.');
  }
  const entries = await readManifest(folder);
  const entry = model === undefined ? entries[0] : entries.find(({ name }) => name === model);
  if (!entry) {
    throw new NameError(
      'model',
      model ?? '',
      entries.map(({ name }) => name),
    );
  }
  return modelAt(join(folder, entry.file));
}

/**
 * Reads the manifest of a folder of models.
 *
 * @throws UsageError when it is missing or not as it should be, with the field
 */
export async function readManifest(folder: string): Promise<readonly ModelEntry[]> {
  const path = join(folder, 'manifest.json');
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (parsed.success) return parsed.data.models;
    const { message, path: field } = parsed.error.issues[0];
    throw new UsageError(`${path}, field ${field.join('.')}: ${message}.`);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = error instanceof SyntaxError ? `it is not JSON (${messageOf(error)})` : reasonOf(error);
    throw new UsageError(`${path} cannot be read: ${reason}.`, { cause: error });
  }
}

async function modelAt(path: string): Promise<ModelFile> {
  const bytes = await readModelBytes(path);
  const digest = sha256(bytes);
  const folder = dirname(path);
  const entries = existsSync(join(folder, 'manifest.json')) ? await readOwnManifest(folder) : [];
  const entry = entries.find(({ file }) => file === basename(path));
  if (entry && entry.sha256 !== digest) {
    throw new UsageError(
      `${path} is damaged or was changed: its sha256 is ${digest.slice(0, 12)}…, the manifest says ${entry.sha256.slice(0, 12)}…; restore the file or correct ${join(folder, 'manifest.json')}.`,
    );
  }
  return { name: entry?.name ?? basename(path, extname(path)), path, sha256: digest, entry };
}

// a manifest.json of another tool may lie beside a model; it is ours only if it lists models
async function readOwnManifest(folder: string): Promise<readonly ModelEntry[]> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8');
  return text.includes('"models"') ? readManifest(folder) : [];
}

async function readModelBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`The model ${path} cannot be read: ${reasonOf(error)}. Name an .onnx file that is there.`, {
      cause: error,
    });
  }
}

function looksLikePath(model: string): boolean {
  return /[/\\]|\.[a-z0-9]+$/i.test(model) || (existsSync(model) && statSync(model).isFile());
}
