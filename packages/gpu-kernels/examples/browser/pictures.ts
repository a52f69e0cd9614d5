import { type Tensor, tensor } from '@cambium/gpu-kernels';

/** An image to try kernels on: rings, a checkerboard and a slope, one in each channel. 1×3×size×size in [0, 1]. */
export function sampleImage(size: number): Tensor {
  const channels = [
    (x: number, y: number) => 0.5 + 0.5 * Math.cos(40 * Math.hypot(x - 0.5, y - 0.5)),
    (x: number, y: number) => (Math.floor(8 * x) + Math.floor(8 * y)) % 2,
    (x: number, y: number) => (x + y) / 2,
  ];
  const values = channels.flatMap((channel) => grid(size, channel));
  return tensor(values, [1, 3, size, size]);
}

/** Three maps of size×size: hills at three places. */
export function sampleMaps(size: number): Tensor {
  const centres = [
    [0.25, 0.3],
    [0.7, 0.35],
    [0.5, 0.75],
  ];
  const hills = centres.flatMap(([cx, cy]) =>
    grid(size, (x, y) => 5 * Math.exp(-12 * ((x - cx) ** 2 + (y - cy) ** 2))),
  );
  return tensor(hills, [centres.length, size, size]);
}

/** Draws an image, 1×3×H×W in [0, 1]. */
export function drawImage({ data, shape: [, , height, width] }: Tensor): HTMLCanvasElement {
  const size = height * width;
  return draw(height, width, (pixel) => [data[pixel], data[pixel + size], data[pixel + 2 * size]]);
}

/** Draws a map, 1×h×w, from black at 0 to white at its maximum. */
export function drawMap({ data, shape: [, height, width] }: Tensor): HTMLCanvasElement {
  const largest = Math.max(...data);
  return draw(height, width, (pixel) => [data[pixel] / largest, data[pixel] / largest, data[pixel] / largest]);
}

type Colour = readonly [red: number, green: number, blue: number];

function draw(height: number, width: number, colourOf: (pixel: number) => Colour): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.height = height;
  canvas.width = width;
  canvas.style.imageRendering = 'pixelated';
  const context = canvas.getContext('2d');
  if (!context) throw new Error('The browser refused a 2d canvas.');
  const picture = context.createImageData(width, height);
  for (let pixel = 0; pixel < height * width; pixel++) {
    picture.data.set([...colourOf(pixel).map((value) => 255 * value), 255], 4 * pixel);
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** A square grid of a function of x and y, both in (0, 1) at the middle of each pixel, row by row. */
function grid(size: number, value: (x: number, y: number) => number): readonly number[] {
  return Array.from({ length: size * size }, (_, index) =>
    value(((index % size) + 0.5) / size, (Math.floor(index / size) + 0.5) / size),
  );
}
