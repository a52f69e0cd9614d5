import type { Pixels } from '../io/image.ts';

/** A white raster of height×width. */
export function blankPixels(height: number, width: number): Pixels {
  return { data: new Uint8Array(height * width * 3).fill(255), size: [height, width] };
}

/** Repeats every pixel `factor` times in both directions. */
export function enlarge(source: Pixels, factor: number): Pixels {
  if (factor === 1) return source;
  const [height, width] = source.size.map((length) => length * factor);
  const data = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (Math.floor(y / factor) * source.size[1] + Math.floor(x / factor));
      data.set(source.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { data, size: [height, width] };
}

/** A raster to be put on another, by its upper left corner. */
export interface Placed {
  readonly pixels: Pixels;
  readonly left: number;
  readonly top: number;
}

/** A white raster with others put on it, which must lie inside. */
export function compose(height: number, width: number, parts: readonly Placed[]): Pixels {
  const canvas = blankPixels(height, width);
  for (const { pixels, left, top } of parts) {
    const row = pixels.size[1] * 3;
    for (let y = 0; y < pixels.size[0]; y++) {
      canvas.data.set(pixels.data.subarray(y * row, (y + 1) * row), 3 * ((top + y) * width + left));
    }
  }
  return canvas;
}
