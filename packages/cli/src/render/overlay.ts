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
  const data = image.data.map((value, index) => {
    const colour = colours[colourIndex(map.data[Math.floor(index / 3)]) + (index % 3)];
    return Math.round((1 - alpha) * value + alpha * colour);
  });
  return { data, size: image.size };
}
