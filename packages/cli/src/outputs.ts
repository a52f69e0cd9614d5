import { join } from 'node:path';
import { UsageError } from './errors.ts';
import type { ClassAnswer, Finding } from './explain-pictures.ts';
import { writeAtomically } from './io/atomic-write.ts';
import { fromHere } from './io/from-here.ts';
import { encodeImage, type Picture, type Pixels } from './io/image.ts';
import { encodeNpy } from './io/npy.ts';
import type { PreparedModel } from './prepared-model.ts';

/** Kinds of files for one map: the overlay as a picture, or the numbers. */
export type Format = 'png' | 'webp' | 'npy';

/**
 * Writes the files of one explanation: `<image>.<layer>.<method>.png` or `.webp`, `.npy` (float32 H×W, the final map)
 * and `.coarse.npy` (float32 h×w, raw and signed).
 *
 * @returns the names of the files, in the folder
 */
export async function writeFinding(
  folder: string,
  finding: Finding,
  { picture, formats }: FindingFiles,
): Promise<string[]> {
  const stem = stemOf(finding);
  const files: [string, Uint8Array][] = [];
  for (const format of formats) {
    if (format !== 'npy') files.push([`${stem}.${format}`, await encodeImage(picture, format)]);
    else
      files.push(
        [`${stem}.npy`, encodeNpy(finding.explanation.map)],
        [`${stem}.coarse.npy`, encodeNpy(finding.explanation.coarse)],
      );
  }
  for (const [name, bytes] of files) await writeAtomically(join(folder, name), bytes);
  return files.map(([name]) => name);
}

interface FindingFiles {
  /** The map over its image. */
  readonly picture: Pixels;
  readonly formats: readonly Format[];
}

/** Writes the record of a run beside its files. No times, dates or machine names: equal runs write equal bytes. */
export async function writeManifest(folder: string, record: object): Promise<void> {
  await writeAtomically(join(folder, 'manifest.json'), `${JSON.stringify(record, null, 2)}\n`);
}

/** What a manifest says about the model. */
export function modelRecord({ file, graph, labels, mean, std, resize }: PreparedModel): object {
  const preprocessing = { size: graph.input.shape.slice(1), resize, scale: '1/255', mean, std };
  return {
    name: file.name,
    file: fromHere(file.path),
    sha256: file.sha256,
    input: graph.input.shape,
    labels,
    preprocessing,
  };
}

/** What a manifest says about an image. */
export function pictureRecord({ name, file, sha256, original }: Picture, predicted: ClassAnswer): object {
  return { name, file, sha256, size: original, predicted };
}

/** What a manifest says about a map. */
export function findingRecord(
  { picture, layer, shape, technique, target, explanation, maskedForwards }: Finding,
  files: readonly string[],
): object {
  return {
    image: picture.name,
    layer: layer.name,
    value: layer.value,
    shape,
    method: technique.method,
    variant: technique.variant,
    options: technique.options,
    target,
    degenerate: explanation.degenerate,
    maskedForwards,
    files,
  };
}

/**
 * Makes sure that no two images, and no two layers, would be written to the same files.
 *
 * @throws UsageError naming the two
 */
export function checkDistinct(
  kind: 'images' | 'layers',
  names: readonly { readonly stem: string; readonly source: string }[],
): void {
  const seen = new Map<string, string>();
  for (const { stem, source } of names) {
    const key = stem.toLowerCase(); // some file systems do not tell A from a
    const other = seen.get(key);
    if (other !== undefined) {
      throw new UsageError(
        `The ${kind} ${other} and ${source} would be written to the same files, ${stem}.*: ${REMEDIES[kind]}.`,
      );
    }
    seen.set(key, source);
  }
}

/** A name as a part of a file's name: what could not stand there on every system becomes `_`. */
export function fileSafe(name: string): string {
  return name.replace(/[^\p{L}\p{N}._+-]+/gu, '_').replace(/^_+(?=.)/, '');
}

function stemOf({ picture, layer, technique }: Finding): string {
  return `${picture.name}.${fileSafe(layer.name)}.${technique.method}`;
}

const REMEDIES = {
  images: 'rename one, or explain them into different folders with -o',
  layers: 'ask for them one at a time, into different folders with -o',
};
