import type { Tensor } from '@cambium/gpu-kernels';
import { encodeImage } from '../io/image.ts';
import { type ColourTable, colourIndex } from '../render/colormap.ts';
import { files } from '../study/run-files.ts';
import { placeOf, readFrom, readMap } from './read-map.ts';
import { allEntrants, type Entrant, entrantsAt, type Study } from './study.ts';

/** The pictures of a report, as data URIs; what is not on disk is null. */
export interface Pictures {
  input(image: string): string | null;
  /** The map alone, in colours. */
  heat(entrant: Entrant, image: string): string | null;
  /** Raw maps: `[layer][technique][image]`. */
  readonly coarse: readonly (readonly (readonly (Tensor | null)[])[])[];
}

/** Reads the images and maps of a study from its run folders. */
export async function readPictures(study: Study, colours: ColourTable): Promise<Pictures> {
  const inputs = new Map<string, string | null>();
  const heats = new Map<string, string | null>();
  for (const { name } of study.images) inputs.set(name, dataUri(await readFrom(study.parts, files.input(name))));
  for (const entrant of allEntrants(study)) {
    for (const { name } of study.images) {
      const map = await readMap(study.parts, files.map(placeOf(entrant, name)));
      heats.set(files.map(placeOf(entrant, name)), map && dataUri(await paint(map, colours)));
    }
  }
  const coarse: (Tensor | null)[][][] = [];
  for (const layer of study.layers) {
    const ofLayer: (Tensor | null)[][] = [];
    for (const entrant of entrantsAt(study, layer)) {
      ofLayer.push(
        await Promise.all(study.images.map(({ name }) => readMap(study.parts, files.coarse(placeOf(entrant, name))))),
      );
    }
    coarse.push(ofLayer);
  }
  return {
    input: (image) => inputs.get(image) ?? null,
    heat: (entrant, image) => heats.get(files.map(placeOf(entrant, image))) ?? null,
    coarse,
  };
}

async function paint({ data, shape }: Tensor, colours: ColourTable): Promise<Uint8Array> {
  const pixels = new Uint8Array(3 * data.length);
  data.forEach((value, index) => {
    const colour = colourIndex(value);
    for (let channel = 0; channel < 3; channel++) pixels[3 * index + channel] = colours[colour + channel];
  });
  return encodeImage({ data: pixels, size: [shape[0], shape[1]] }, 'webp');
}

function dataUri(bytes: Uint8Array | null): string | null {
  return bytes && `data:image/webp;base64,${Buffer.from(bytes).toString('base64')}`;
}
