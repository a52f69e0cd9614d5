import { ShapeError, type Tensor } from '@cambium/gpu-kernels';
import type { Pixels } from '../io/image.ts';
import { type ColourTable, colourIndex } from './colormap.ts';

/** A finished map and the image it explains. */
interface OverlayInput {
  readonly image: Pixels;
  /** H×W in [0, 1] */
  readonly map: Tensor;
  readonly colours: ColourTable;
  /** Share of the map's colour in every pixel, 0 to 1. */
  readonly alpha: number;
}

/**
 * Blends the colours of a map over an image: `(1 − alpha)·image + alpha·colour`, rounded.
 *
 * @throws ShapeError when the map has not the image's size
 */
export function overlay({ image, map, colours, alpha }: OverlayInput): Pixels {
  if (map.shape.join('×') !== image.size.join('×')) {
    throw new ShapeError('overlay', `a map of ${image.size.join('×')}`, map.shape.join('×'));
  }
  const data = new Uint8Array(image.data.length);
  for (let pixel = 0; pixel < map.data.length; pixel++) {
    const colour = colourIndex(map.data[pixel]);
    for (let channel = 0; channel < 3; channel++) {
      const at = 3 * pixel + channel;
      data[at] = Math.round((1 - alpha) * image.data[at] + alpha * colours[colour + channel]);
    }
  }
  return { data, size: image.size };
}
