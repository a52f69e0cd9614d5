import type { Shape } from '../tensor.ts';
import { requireRank, requireSame } from './shapes.ts';

/** Axes of the inputs that every kernel of image variants has in common. */
export interface VariantAxes {
  readonly variants: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Reads the axes of one image, of the image that fills its gaps, and of a table with a row for each variant.
 *
 *     image 1×C×H×W, fill 1×C×H×W, rows n×columns
 *
 * @throws ShapeError when the image is not one image, the fill differs in shape, or the rows have other columns
 */
export function variantAxes(
  where: string,
  { image, fill }: { readonly image: Shape; readonly fill: Shape },
  rows: { readonly what: string; readonly shape: Shape; readonly columns: number },
): VariantAxes {
  requireRank(where, 'an image', image, '1×channels×height×width');
  requireSame(where, 'one image', [1, ...image.slice(1)], image);
  requireSame(where, 'a fill', image, fill);
  requireRank(where, rows.what, rows.shape, 'variants×columns');
  requireSame(where, rows.what, [rows.shape[0], rows.columns], rows.shape);
  const [, channels, height, width] = image;
  return { variants: rows.shape[0], channels, height, width };
}
