import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { impute, imputer } from '../src/impute.ts';
import { solvedExactly } from './support/exact-imputation.ts';

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

function largestDifference(found: Float32Array, expected: ArrayLike<number>): number {
  return found.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index])), 0);
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
  const filled = impute(image, unknown);
  for (const channel of [0, 1]) {
    const plane = filled.data.subarray(channel * unknown.length, (channel + 1) * unknown.length);
    expect(furthestFromMean(plane, unknown, [height, width])).toBeLessThan(1e-6); // float32
  }
  expect(filled.data.filter((_, index) => !unknown[index % unknown.length])).toEqual(
    image.data.filter((_, index) => !unknown[index % unknown.length]),
  );
});

/** As ROAD asks for it: errors up to a tenth of its noise. */
const enough = { tolerance: 1e-3, whole: false };

test.each([
  ...Object.keys(masks).map((name) => [name, 224, 224] as const),
  ['a blob', 225, 150],
  ['all but a blob', 225, 150],
  ['all but two columns', 113, 240],
] as const)('%s unknown in %d×%d: errors stay below a tenth of the noise', (name, height, width) => {
  const image = uniformTensor(numpyRandom(3), [1, height, width], -3, 3);
  const unknown = maskOf(name, height, width);
  const exact = solvedExactly(image.data, unknown, [height, width]);
  const few = name === 'all but a blob'; // 200 of 50,176 known: all that is far from them is a mean of theirs
  for (const accuracy of [enough, undefined]) {
    expect(largestDifference(impute(image, unknown, accuracy).data, exact)).toBeLessThan(few ? 2e-3 : 1e-3);
  }
});

test('on shapes, dots and lines of all sizes, what ROAD asks for is as near as that to what float32 can tell', () => {
  const random = numpyRandom(5);
  const errors: number[] = [];
  for (let round = 0; round < 150; round++) {
    const [height, width] = [random.integer(8, 90), random.integer(8, 90)];
    const [period, phase] = [random.integer(2, 30), random.integer(0, 2)];
    const [top, left, reach] = [
      random.uniform() * height,
      random.uniform() * width,
      4 + (random.uniform() * height) / 2,
    ];
    const unknownAt = [
      (row: number, column: number) => Math.hypot(row - top, column - left) < reach,
      (row: number, column: number) => Math.hypot(row - top, column - left) > reach / 2,
      (row: number, column: number) => row % period !== phase || column % period !== phase,
      (_: number, column: number) => column % period !== phase,
    ][round % 4];
    const unknown = Uint8Array.from({ length: height * width }, (_, pixel) =>
      Number(unknownAt(Math.floor(pixel / width), pixel % width)),
    );
    const image = uniformTensor(random, [1, height, width], -3, 3);
    errors.push(largestDifference(impute(image, unknown, enough).data, impute(image, unknown).data));
  }
  errors.sort((a, b) => a - b);
  expect(errors[Math.floor(0.95 * errors.length)]).toBeLessThan(2e-3);
  expect(errors.at(-1)).toBeLessThan(1e-2); // few known pixels: what they say of all others is a mean
});

test('nothing is left of the removal, the image or the size before', () => {
  const [small, large] = [[20, 30] as const, [31, 47] as const].map(([height, width]) => ({
    images: [1, 2].map((seed) => uniformTensor(numpyRandom(seed), [3, height, width], -3, 3)),
    removals: ['all but a blob', 'half of the pixels, scattered', 'a blob'].map((name) => maskOf(name, height, width)),
  }));
  const runs = [small, large, small].flatMap(({ images, removals }) =>
    images.flatMap((image) => removals.map((unknown) => [image, unknown] as const)),
  );
  const alone = runs.map(([image, unknown]) => impute({ ...image, data: image.data.slice() }, unknown).data);
  const fills = runs.map(([image]) => imputer(image));
  for (const [index, [image, unknown]] of runs.entries()) {
    const pixels = new Float32Array(image.data.length).fill(7);
    fills[index](pixels, { relevance: Float32Array.from(unknown), threshold: 1 });
    expect(pixels).toEqual(alone[index]);
  }
  // two images in turns, of one relevance at more and more thresholds
  const image = small.images[0];
  const relevance = uniformTensor(numpyRandom(9), [20, 30], 0, 1).data;
  const [one, other] = [imputer(image), imputer(small.images[1])];
  const found = new Float32Array(image.data.length);
  for (const threshold of [0.9, 0.2, 0.5, 2, -1]) {
    other(found, { relevance, threshold });
    one(found, { relevance, threshold });
    expect(found).toEqual(
      impute(
        image,
        Uint8Array.from(relevance, (value) => Number(value >= threshold)),
      ).data,
    );
  }
});

test('numbers written over an image or a map are seen by who asks anew', () => {
  const image = uniformTensor(numpyRandom(1), [1, 9, 10], -1, 1);
  const relevance = Float32Array.from(maskOf('a blob', 9, 10));
  const [before, after] = [new Float32Array(90), new Float32Array(90)];
  imputer(image)(before, { relevance, threshold: 1 });
  relevance.set(maskOf('all but a blob', 9, 10));
  image.data.reverse();
  imputer(image)(after, { relevance, threshold: 1 });
  expect(after).toEqual(impute({ ...image, data: image.data.slice() }, maskOf('all but a blob', 9, 10)).data);
});

test('a threshold between two float32 removes what is above it', () => {
  const image = uniformTensor(numpyRandom(1), [1, 2, 2], 1, 2);
  const fill = imputer(image);
  for (const value of [0.1, -0.1, 1e-45, -1e-45, 3e38]) {
    const relevance = new Float32Array([value, 0, 0, 0]);
    for (const [threshold, removed] of [
      [relevance[0], true],
      [relevance[0] - Math.abs(relevance[0]) * 1e-12, true],
      [relevance[0] + Math.abs(relevance[0]) * 1e-12, false],
    ] as const) {
      const pixels = new Float32Array(4);
      fill(pixels, { relevance: relevance.map((each, index) => (index === 0 ? each : -3.4e38)), threshold });
      expect(pixels[0] !== image.data[0]).toBe(removed);
    }
  }
});

test('noise is added to what is filled, and to nothing else', () => {
  const image = uniformTensor(numpyRandom(1), [2, 9, 10], -1, 1);
  const noise = uniformTensor(numpyRandom(2), [2, 9, 10], 1, 2).data;
  const unknown = maskOf('a blob', 9, 10);
  const [plain, noisy] = [impute(image, unknown).data, new Float32Array(180)];
  imputer(image, undefined, noise)(noisy, { relevance: Float32Array.from(unknown), threshold: 1 });
  for (let pixel = 0; pixel < 180; pixel++) {
    expect(noisy[pixel]).toBe(unknown[pixel % 90] ? Math.fround(plain[pixel] + noise[pixel]) : image.data[pixel]);
  }
});

test('however many channels an image has, each is filled as it would be alone', () => {
  const image = uniformTensor(numpyRandom(6), [5, 20, 30], -2, 2);
  const unknown = maskOf('all but a blob', 20, 30);
  const together = impute(image, unknown).data;
  for (let channel = 0; channel < 5; channel++) {
    const plane = image.data.slice(channel * 600, (channel + 1) * 600);
    const alone = impute({ data: plane, shape: [1, 20, 30] }, unknown).data;
    // after as many cycles as the last of them needs
    expect(largestDifference(together.subarray(600 * channel, 600 * channel + 600), alone)).toBeLessThan(4e-5);
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
    const filled = impute(image, unknown);
    expect(furthestFromMean(filled.data, unknown, [height, width])).toBeLessThan(2e-6); // float32
  }
});
