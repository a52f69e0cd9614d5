import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

/**
 * Copies the small part of a golden set into this repository.
 *
 *     <source>/{inputs,cam,lrp,kernels,metrics}/  →  <target>/…, each with a manifest of what is there
 *
 * An array is copied when its file has at most `--largest` bytes and its name contains no `--leave`, or when its name
 * contains a `--keep`; the manifest's `arrays` lists those, and of the others only what a `--list` names, for its
 * checksums. Everything else in the manifest stays as it is. Only the
 * manifest of `metrics` is cut down (see `shorten`). PNGs are copied where their name contains `--images`, none unless said: the study's own are in `images`. Folders of
 * the target that are written are emptied first. `--part` copies some parts only.
 *
 *     node scripts/copy-golden.ts <source> <target> --largest 100000 --keep <name>… --leave <name>… \
 *       --budget 4800000 --part <name>…
 *
 * @throws Error when the copy would be larger than `--budget` bytes; nothing is written then
 */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    largest: { type: 'string', default: '100000' },
    budget: { type: 'string', default: '4800000' },
    images: { type: 'string' },
    keep: { type: 'string', multiple: true, default: [] },
    leave: { type: 'string', multiple: true, default: [] },
    list: { type: 'string', multiple: true, default: [] },
    part: { type: 'string', multiple: true, default: ['inputs', 'cam', 'lrp', 'kernels', 'metrics'] },
  },
});

interface Manifest {
  readonly arrays: readonly GoldenArray[];
  readonly values?: readonly GoldenValue[];
  readonly [field: string]: unknown;
}

interface GoldenArray {
  readonly name: string;
  readonly file: string;
}

interface GoldenValue {
  readonly name: string;
  readonly value: unknown;
  readonly params: unknown;
}

interface PartCopy {
  readonly part: string;
  /** Paths below the part's folder. */
  readonly files: readonly string[];
  readonly manifest: string;
  readonly bytes: number;
}

await copyGolden(...twoFolders(positionals));

async function copyGolden(source: string, target: string): Promise<void> {
  const parts: PartCopy[] = [];
  for (const part of options.part) parts.push(await planPart(source, part));
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  for (const part of parts) console.log(`${part.part}: ${part.files.length} files, ${part.bytes} bytes`);
  if (bytes > Number(options.budget)) {
    throw new Error(
      `The copy would take ${bytes} bytes, the budget is ${options.budget}; lower --largest or keep less.`,
    );
  }
  for (const part of parts) await writePart(source, target, part);
  console.log(`${bytes} bytes in all`);
}

async function planPart(source: string, part: string): Promise<PartCopy> {
  const folder = join(source, part);
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const arrays = [];
  const files = [];
  let bytes = 0;
  for (const array of manifest.arrays) {
    const { size } = await stat(join(folder, array.file));
    const named = (names: readonly string[]) => names.some((name) => array.name.includes(name));
    const left = (size > Number(options.largest) || named(options.leave)) && !named(options.keep);
    if (!left || named(options.list)) arrays.push(array);
    if (left) continue;
    files.push(array.file);
    bytes += size;
  }
  for (const file of await imagesOf(folder)) {
    files.push(file);
    bytes += (await stat(join(folder, file))).size;
  }
  const kept = { ...manifest, arrays };
  const text = format(part === 'metrics' ? shorten(kept) : kept);
  return { part, files, manifest: text, bytes: bytes + Buffer.byteLength(text) };
}

async function imagesOf(folder: string): Promise<string[]> {
  const { images } = options;
  if (images === undefined) return [];
  const names = await readdir(join(folder, 'png')).catch(() => []); // only the inputs have images
  return names.filter((name) => name.endsWith('.png') && name.includes(images)).map((name) => join('png', name));
}

/**
 * A manifest without what can be had from its arrays, timings and draws that nothing used: a recorded random stream stays
 * where an order, a baseline or a class was drawn. Numbers keep nine digits, which is all of a float32.
 */
function shorten(manifest: Manifest): Manifest {
  const unused = new Set(['seconds', 'model_images', 'model_calls']);
  const fields = (drawn: boolean) => (name: string, value: unknown) => {
    if (unused.has(name) || (name === 'rng' && !drawn)) return undefined;
    return typeof value === 'number' ? Number(value.toPrecision(9)) : value;
  };
  return {
    ...manifest,
    arrays: manifest.arrays.map(({ name, file, ...array }) => ({ name, file, ...array, check: undefined })),
    values: manifest.values?.map(({ name, value, params }) => {
      const drawn = /order=random|uniform|RandomLogit/.test(name);
      return JSON.parse(JSON.stringify({ name, value, params }, fields(drawn)));
    }),
  };
}

/** One line for each array and each value: small, and a change shows as one line. */
function format(manifest: Manifest): string {
  const fields = Object.entries(manifest).map(([name, value]) => {
    const text = Array.isArray(value)
      ? `[\n${value.map((entry) => JSON.stringify(entry)).join(',\n')}\n]`
      : JSON.stringify(value);
    return `${JSON.stringify(name)}: ${text}`;
  });
  return `{\n${fields.join(',\n')}\n}\n`;
}

async function writePart(source: string, target: string, { part, files, manifest }: PartCopy): Promise<void> {
  await rm(join(target, part), { recursive: true, force: true });
  await mkdir(join(target, part, 'png'), { recursive: true });
  for (const file of files) await copyFile(join(source, part, file), join(target, part, file));
  await writeFile(join(target, part, 'manifest.json'), manifest);
  if (!files.some((file) => file.endsWith('.png'))) await rm(join(target, part, 'png'), { recursive: true });
}

function twoFolders(paths: readonly string[]): [source: string, target: string] {
  const [source, target] = paths;
  if (paths.length === 2 && source && target) return [source, target];
  throw new Error(`${basename(import.meta.filename)} needs two folders, source and target; got ${paths.length}.`);
}
