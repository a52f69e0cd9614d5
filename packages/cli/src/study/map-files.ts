import { readFile } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { AnyCamMethod } from '@cambium/cam';
import { type Tensor, tensor } from '@cambium/gpu-kernels';
import { type AnyMetric, metrics } from '@cambium/metrics';
import { messageOf, UsageError } from '../errors.ts';
import { reasonOf } from '../io/atomic-write.ts';
import { decodeNpy } from '../io/npy.ts';
import { sha256 } from '../io/sha256.ts';
import type { StudyImage } from './images.ts';
import type { StudyMetric } from './metrics.ts';
import type { LayerRecord } from './records.ts';
import type { StudyTechnique } from './study.ts';

/** What stands as the method of maps that were made elsewhere and come from files. */
export const mapsFromFiles: AnyCamMethod = {
  name: 'maps',
  title: 'Maps from files',
  source: '',
  defaults: {},
  rules: () => [],
  weights: () => {
    throw new Error('Maps from files are read, not made.'); // they are remembered before anyone asks
  },
  // scaled as the maps of the other methods are, so that scores compare
  finish: ({ negative }: MapFilesOptions) => ({
    relu: negative === 'drop',
    minMax: 'after-resize',
    resize: 'half-pixel',
    epsilon: 0,
  }),
};

/** How maps from files are read. */
export interface MapFilesOptions {
  /** Path of a `.npy` file with `{image}`, and `{layer}` where each layer has its own. */
  readonly maps?: unknown;
  /** What becomes of numbers below 0: without it a map that has some is refused. */
  readonly negative?: 'drop' | 'absolute';
}

/** A file that holds one map. */
export interface MapFile {
  readonly file: string;
  readonly sha256: string;
}

/** The files of a technique by layer and image. */
export type MapFiles = ReadonlyMap<string, MapFile>;

/** Where to look for map files. */
export interface MapFilesRequest {
  readonly options: MapFilesOptions & { readonly maps: string };
  /** What a relative path begins at. */
  readonly base: string;
  /** The key of the suite, for messages. */
  readonly place: string;
  readonly images: readonly StudyImage[];
  readonly layers: readonly LayerRecord[];
}

/**
 * Finds the map of every image at every layer, and reads each once, so that one that cannot be used is told now.
 *
 * @throws UsageError naming the key, the file and what is wrong with it
 */
export async function findMapFiles(request: MapFilesRequest): Promise<MapFiles> {
  const { options, base, place, images, layers } = request;
  if (!options.maps.includes('{image}')) {
    throw new UsageError(
      `${place}.maps: "${options.maps}" names no image; write {image} where the image's name stands.`,
    );
  }
  const found = new Map<string, MapFile>();
  for (const layer of layers) {
    for (const image of images) {
      const name = options.maps.replaceAll('{image}', image.name).replaceAll('{layer}', layer.folder);
      const file = isAbsolute(name) ? name : resolve(base, name);
      const bytes = await readFile(file).catch((error) => {
        throw new UsageError(
          `${place}.maps: the map of ${image.name} cannot be read from ${file}: ${reasonOf(error)}.`,
          {
            cause: error,
          },
        );
      });
      decodeMap(bytes, { where: `${place}.maps: ${file}`, negative: options.negative });
      found.set(keyOf(layer, image.name), { file, sha256: sha256(bytes) });
    }
  }
  return found;
}

/**
 * Reads the raw map of an image, h×w.
 *
 * @throws UsageError when the file is not any more what it was when it was found
 */
export async function readMapFile(
  { files, options }: Pick<StudyTechnique, 'options'> & { readonly files: MapFiles },
  layer: LayerRecord,
  image: string,
): Promise<Tensor> {
  const { file, sha256: expected } = files.get(keyOf(layer, image))!; // every image has one at every layer
  const bytes = await readFile(file);
  if (sha256(bytes) !== expected) throw new UsageError(`${file} has changed since the run began; start it again.`);
  return decodeMap(bytes, { where: file, negative: (options as MapFilesOptions).negative }); // as the schema let them through
}

/** Digest of the file of an image at a layer. */
export function digestOf(files: MapFiles, layer: LayerRecord, image: StudyImage): string | undefined {
  return files.get(keyOf(layer, image.name))?.sha256;
}

/** Why a metric has no score for a technique, known before anything is computed. */
export function unscorable({ files, title }: StudyTechnique, { name }: StudyMetric): string | undefined {
  const { needs }: AnyMetric = metrics[name];
  if (!files || !needs.includes('explain')) return undefined;
  return `${name} explains other images or classes, and the maps of ${title} come from files.`;
}

function keyOf(layer: LayerRecord, image: string): string {
  return `${layer.folder}/${image}`;
}

function decodeMap(bytes: Uint8Array, { where, negative }: { where: string; negative?: string }): Tensor {
  const { data, shape } = decoded(bytes, where);
  const sides = shape.slice(-2);
  if (shape.length < 2 || shape.slice(0, -2).some((length) => length !== 1)) {
    throw new UsageError(`${where} holds an array of ${shape.join('×') || 'no axes'}, and a map is height×width.`);
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new UsageError(`${where} holds ${data[bad]} at index ${bad}; a map is made of finite numbers.`);
  if (negative === 'absolute') return tensor(data.map(Math.abs), sides);
  if (negative === undefined && data.some((value) => value < 0)) {
    throw new UsageError(
      `${where} holds numbers below 0; say what becomes of them: "negative": "drop", as Grad-CAM does, or "absolute".`,
    );
  }
  return tensor(data, sides);
}

function decoded(bytes: Uint8Array, where: string): Tensor {
  try {
    return decodeNpy(bytes);
  } catch (error) {
    throw new UsageError(
      `${where} is not a map: ${messageOf(error)
        .replace(/^decodeNpy /, '')
        .replace(/\.$/, '')}.`,
      {
        cause: error,
      },
    );
  }
}
