import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { impute, imputePixels } from '../src/impute.ts';

/** A blob, as the maps of methods have them, and scattered pixels. */
const masks: { readonly [name: string]: (row: number, column: number, draw: number) => boolean } = {
  'a blob': (row, column) => Math.hypot(row - 9, column - 12) < 8,
  'all but a blob': (row, column) => Math.hypot(row - 9, column - 12) >= 8,
  'half of the pixels, scattered': (_, __, draw) => draw < 0.5,
  'all but some pixels': (row, column) => (7 * row + 3 * column) % 50 !== 1,
  'all but two columns': (_, column) => column > 1,
};

function maskOf(name: string, height: number, width: number): Uint8Array {
  const random = numpyRandom(4);
  return Uint8Array.from({ length: height * width }, (_, pixel) =>
    Number(masks[name](Math.floor(pixel / width), pixel % width, random.uniform())),
  );
}

/** How far an unknown pixel is from the weighted mean of its neighbours, at most. */
function furthestFromMean(
  plane: Float32Array,
  unknown: Uint8Array,
  [height, width]: readonly [number, number],
): number {
  let furthest = 0;
  for (let pixel = 0; pixel < plane.length; pixel++) {
    if (!unknown[pixel]) continue;
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    let [sum, total] = [0, 0];
    for (let down = -1; down <= 1; down++) {
      for (let across = -1; across <= 1; across++) {
        const [y, x] = [row + down, column + across];
        if ((down === 0 && across === 0) || y < 0 || x < 0 || y >= height || x >= width) continue;
        const weight = down === 0 || across === 0 ? 1 / 6 : 1 / 12;
        sum += weight * plane[y * width + x];
        total += weight;
      }
    }
    furthest = Math.max(furthest, Math.abs(plane[pixel] - sum / total));
  }
  return furthest;
}

const sizes = [
  [32, 32],
  [31, 33],
  [29, 64],
  [2, 40],
  [21, 1],
] as const;
const cases = Object.keys(masks).flatMap((name) => sizes.map((size) => [name, ...size] as const));

test.each(cases)('%s unknown in %d×%d: each is the weighted mean of its neighbours', (name, height, width) => {
  const image = uniformTensor(numpyRandom(2), [2, height, width], -2, 2);
  const unknown = maskOf(name, height, width);
  const filled = impute(image, unknown, 1e-9);
  for (const channel of [0, 1]) {
    const plane = filled.data.subarray(channel * unknown.length, (channel + 1) * unknown.length);
    expect(furthestFromMean(plane, unknown, [height, width])).toBeLessThan(1e-6); // float32
  }
  expect(filled.data.filter((_, index) => !unknown[index % unknown.length])).toEqual(
    image.data.filter((_, index) => !unknown[index % unknown.length]),
  );
});

test('errors stay below a twentieth of the noise, and one set of unknown pixels leaves nothing behind for the next', () => {
  const shape = [3, 224, 224];
  const image = uniformTensor(numpyRandom(3), shape, -3, 3);
  for (const name of [...Object.keys(masks), 'a blob']) {
    const unknown = maskOf(name, 224, 224);
    const exact = impute(image, unknown, 1e-10).data;
    const found = image.data.slice();
    imputePixels(found, unknown, shape);
    expect(impute(image, unknown).data).toEqual(found);
    expect(found.reduce((most, value, index) => Math.max(most, Math.abs(value - exact[index])), 0)).toBeLessThan(5e-4);
  }
});

test('however many channels an image has, each is filled as it would be alone', () => {
  const image = uniformTensor(numpyRandom(6), [5, 20, 30], -2, 2);
  const unknown = maskOf('all but a blob', 20, 30);
  const together = impute(image, unknown, 1e-9).data;
  for (let channel = 0; channel < 5; channel++) {
    const plane = image.data.slice(channel * 600, (channel + 1) * 600);
    const alone = impute({ data: plane, shape: [1, 20, 30] }, unknown, 1e-9).data;
    for (let pixel = 0; pixel < 600; pixel++) expect(together[channel * 600 + pixel]).toBeCloseTo(alone[pixel], 6);
  }
});

test('whatever the unknown pixels are, rectangles and holes in them, the solution is found', () => {
  const random = numpyRandom(8);
  for (let round = 0; round < 80; round++) {
    const [height, width] = [random.integer(2, 48), random.integer(2, 48)];
    const unknown = new Uint8Array(height * width);
    for (let rectangle = random.integer(1, 9); rectangle > 0; rectangle--) {
      const [top, left] = [random.integer(0, height), random.integer(0, width)];
      const [bottom, right] = [random.integer(top, height), random.integer(left, width)];
      for (let row = top; row <= bottom; row++) {
        unknown.fill(Number(rectangle !== 1), row * width + left, row * width + right + 1);
      }
    }
    unknown[random.interval(unknown.length - 1)] = 0; // one is known
    const image = uniformTensor(random, [1, height, width], -2, 2);
    const filled = impute(image, unknown, 1e-8);
    expect(furthestFromMean(filled.data, unknown, [height, width])).toBeLessThan(2e-6); // float32
  }
});
