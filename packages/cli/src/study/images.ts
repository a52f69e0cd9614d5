import { glob, readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, join, resolve } from 'node:path';
import { NameError } from '@cambium/cam';
import { codeOf, UsageError } from '../errors.ts';
import { reasonOf } from '../io/atomic-write.ts';
import { sha256 } from '../io/sha256.ts';
import { fileSafe } from '../outputs.ts';
import { labelOfName } from '../targets.ts';
import type { Suite } from './suite.ts';
import { within } from './within.ts';

/** An image file of a study; its pixels are read when its turn comes. */
export interface StudyImage {
  /** Unique in the study; stands in file names. */
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  /** How many images before it have the same bytes; left out for the first, so that its cells are those it had alone. */
  readonly copy?: number;
  /** One of the model's labels, where folder, list or file name tell what the image shows. */
  readonly label?: string;
  /** An image file that is white where the object is. */
  readonly mask?: { readonly file: string; readonly sha256: string };
}

/** Where images are looked for. */
export interface ImageRequest {
  readonly images: NonNullable<Suite['images']>;
  /** What relative paths of the suite begin at. */
  readonly base: string;
  readonly labels: readonly string[];
  /** The key that they are named by, for messages. */
  readonly place: string;
}

/**
 * Finds the images of a suite: a folder of files; a folder with one folder for each class; a pattern such as `photos/*.jpg`;
 * or a list, with labels where it gives them. In a flat folder the label is read from the file's name (`knitted_3.png`).
 *
 * @throws UsageError when there are none, one cannot be read, or a label is not one of the model's
 */
export async function findImages(request: ImageRequest): Promise<StudyImage[]> {
  const { images, base, labels, place } = request;
  if (Array.isArray(images)) {
    return named(await Promise.all(images.map((entry, index) => listed(entry, `${place}[${index}]`, request))));
  }
  const { folder, layout, perClass, limit } =
    typeof images === 'string'
      ? { folder: images, layout: 'auto' as const, perClass: undefined, limit: undefined }
      : images;
  return within(place, async () => {
    const found = /[*?[{]/.test(folder)
      ? await matching(at(base, folder), labels)
      : await inFolder(at(base, folder), layout, labels);
    const kept = perClass === undefined ? found : firstOfEach(found, perClass);
    return named(await Promise.all(kept.slice(0, limit).map((entry) => read(entry))));
  });
}

/** Image files that a pattern such as `photos/*.jpg` fits. */
async function matching(pattern: string, labels: readonly string[]): Promise<Found[]> {
  const files: string[] = [];
  for await (const file of glob(pattern)) if (IMAGE_NAME.test(file)) files.push(file);
  if (files.length === 0)
    throw new UsageError(`The pattern ${pattern} fits no PNG, JPEG, WebP, GIF, TIFF or AVIF file.`);
  return files.sort().map((file) => ({ file, label: labelOfName(stem(file), labels) }));
}

interface Found {
  readonly file: string;
  readonly label?: string;
  /** Name of the class's folder. */
  readonly group?: string;
}

async function inFolder(folder: string, layout: string, labels: readonly string[]): Promise<Found[]> {
  const entries = await entriesOf(folder);
  const classes = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const flat = entries.filter((entry) => IMAGE_NAME.test(entry.name)).map(({ name }) => name);
  const byClass = layout === 'classes' || (layout === 'auto' && flat.length === 0 && classes.length > 0);
  const found = byClass
    ? (await Promise.all(classes.map((name) => ofClass(folder, name, labels)))).flat()
    : flat.map((name) => ({ file: join(folder, name), label: labelOfName(stem(name), labels) }));
  if (found.length > 0) return found;
  throw new UsageError(`There are no images in ${folder}: name a folder of PNG, JPEG, WebP, GIF, TIFF or AVIF files.`);
}

async function ofClass(folder: string, group: string, labels: readonly string[]): Promise<Found[]> {
  const entries = await entriesOf(join(folder, group));
  const label = labels.includes(group) ? group : undefined;
  return entries
    .filter((entry) => entry.isFile() && IMAGE_NAME.test(entry.name))
    .map(({ name }) => ({ file: join(folder, group, name), label, group }));
}

async function entriesOf(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    const reason = codeOf(error) === 'ENOTDIR' ? 'it is a file, not a folder' : reasonOf(error);
    throw new UsageError(`The images in ${folder} cannot be listed: ${reason}. Name a folder with --images.`, {
      cause: error,
    });
  });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1)); // by code unit, the same on every machine
}

function firstOfEach(found: readonly Found[], count: number): Found[] {
  const taken = new Map<string | undefined, number>();
  return found.filter(({ group, label }) => {
    const place = (taken.get(group ?? label) ?? 0) + 1;
    taken.set(group ?? label, place);
    return place <= count;
  });
}

async function listed(
  entry: string | { readonly file: string; readonly label?: string; readonly mask?: string },
  place: string,
  { base, labels }: ImageRequest,
): Promise<Unnamed> {
  const { file, label, mask } = typeof entry === 'string' ? { file: entry } : entry;
  if (label !== undefined && !labels.includes(label)) {
    throw new UsageError(`${place}.label: ${new NameError('class', label, labels).message}`);
  }
  const path = at(base, file);
  const found = { file: path, label: label ?? labelOfName(stem(path), labels) };
  const image = await within(typeof entry === 'string' ? place : `${place}.file`, () => read(found));
  if (mask === undefined) return image;
  const { file: white, sha256 } = await within(`${place}.mask`, () => read({ file: at(base, mask) }));
  return { ...image, mask: { file: white, sha256 } };
}

interface Unnamed extends Found, Pick<StudyImage, 'mask'> {
  readonly sha256: string;
}

async function read(found: Found): Promise<Unnamed> {
  const { size } = await stat(found.file).catch((error) => unreadable(found.file, error));
  if (size === 0) throw new UsageError(`The image ${found.file} is empty.`);
  const bytes = await readFile(found.file).catch((error) => unreadable(found.file, error));
  return { ...found, sha256: sha256(bytes) };
}

function unreadable(file: string, error: unknown): never {
  throw new UsageError(`The image ${file} cannot be read: ${reasonOf(error)}.`, { cause: error });
}

// base names; where two are alike in any case, the class's folder comes before, then a number behind
function named(images: readonly Unnamed[]): StudyImage[] {
  const stems = images.map(({ file }) => fileSafe(stem(file)));
  const count = (name: string) => stems.filter((other) => other.toLowerCase() === name.toLowerCase()).length;
  const used = new Set<string>();
  const copies = new Map<string, number>();
  return images.map(({ group, ...image }, index) => {
    const plain = stems[index];
    const wanted = group !== undefined && count(plain) > 1 ? `${fileSafe(group)}_${plain}` : plain;
    let name = wanted;
    for (let number = 2; used.has(name.toLowerCase()); number++) name = `${wanted}-${number}`;
    used.add(name.toLowerCase());
    const copy = copies.get(image.sha256) ?? 0;
    copies.set(image.sha256, copy + 1);
    return { ...image, name, ...(copy > 0 && { copy }) };
  });
}

function at(base: string, path: string): string {
  return isAbsolute(path) ? path : resolve(base, path);
}

function stem(file: string): string {
  return basename(file, extname(file));
}

const IMAGE_NAME = /\.(png|jpe?g|webp|gif|tiff?|avif)$/i;
