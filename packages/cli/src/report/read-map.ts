import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tensor } from '@cambium/gpu-kernels';
import { decodeNpy } from '../io/npy.ts';
import type { MapPlace } from '../study/run-files.ts';
import type { RunFolder } from './read-run.ts';
import type { Entrant } from './study.ts';

/** Where the files of a map are in a run's folder. */
export function placeOf({ technique, layer }: Entrant, image: string): MapPlace {
  return { layer: layer.folder, technique: technique.id, image };
}

/** A map from the first folder that has it; null where none has, or it is damaged. */
export async function readMap(parts: readonly RunFolder[], file: string): Promise<Tensor | null> {
  const bytes = await readFrom(parts, file);
  if (bytes === null) return null;
  try {
    const map = decodeNpy(bytes);
    return map.shape.length === 2 ? map : null;
  } catch {
    return null; // a damaged map is shown as missing, and the run can be made again
  }
}

/** The bytes of a file from the first folder that has it. */
export async function readFrom(parts: readonly RunFolder[], file: string): Promise<Uint8Array | null> {
  for (const { folder } of parts) {
    const bytes = await readFile(join(folder, file)).catch(() => null);
    if (bytes !== null) return bytes;
  }
  return null;
}
