import { numpyRandom, type Predict, type Tensor, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { metrics, type Subject } from '../src/index.ts';
import { constant, numberOf } from './support/subjects.ts';

// Where a paper and Quantus disagree: the paper's form, on models of which its score is known by hand.

/** Two classes: the logit of the first is a function of the image, the other's is 0; counts the images that it sees. */
function counting(logit: (image: Float32Array) => number): { predict: Predict; seen: () => number } {
  let seen = 0;
  const predict: Predict = async ({ data, shape: [count] }) => {
    seen += count;
    const size = data.length / count;
    const logits = new Float32Array(2 * count);
    for (let row = 0; row < count; row++) logits[2 * row] = logit(data.subarray(row * size, (row + 1) * size));
    return tensor(logits, [count, 2]);
  };
  return { predict, seen: () => seen };
}

/** An image of 1 at some pixels, −1 at the last and 0 elsewhere, and a map. */
function subjectOf(ones: readonly number[], map: readonly number[], more: Partial<Subject> = {}): Subject {
  const image = tensor(
    Float32Array.from({ length: 16 }, (_, at) => Number(ones.includes(at)) - Number(at === 15)),
    [1, 4, 4],
  );
  return { image, map: tensor([...map], [4, 4]), target: 0, predict: constant, explain: async () => image, ...more };
}

const mapWith = (values: { readonly [pixel: number]: number }) =>
  Array.from({ length: 16 }, (_, at) => values[at] ?? 0);
const detailOf = (score: Awaited<ReturnType<typeof metrics.complexity.score>>) =>
  (score.value === null ? {} : score.detail) as { readonly [name: string]: readonly number[] };

describe('region perturbation (Samek et al.)', () => {
  const free = { placement: 'free', patchSize: 2, output: 'logit' } as const;

  test('takes the squares that hold most, wherever they lie, and none that overlaps one before', async () => {
    const one = await metrics['region-perturbation'].score(subjectOf([5], mapWith({ 5: 1 })), free);
    expect(detailOf(one).order).toEqual([0, 2, 8, 10]);
    // both pixels are in one square only where it crosses the grid
    const two = await metrics['region-perturbation'].score(subjectOf([5], mapWith({ 5: 1, 6: 1 })), free);
    expect(detailOf(two).order).toEqual([1, 8, 10]);
    const least = await metrics['region-perturbation'].score(subjectOf([5], mapWith({ 0: 1 })), {
      ...free,
      order: 'lerf',
    });
    expect(detailOf(least).order).toEqual([1, 8, 10]);
  });

  test('random pixels take away on average what the middle of the image’s range takes', async () => {
    const { predict, seen } = counting((pixels) => pixels[5]);
    const subject = { ...subjectOf([5], mapWith({ 5: 1 }), { predict }), random: numpyRandom(3) };
    const options = { ...free, baseline: 'random-pixels', repeats: 500 } as const;
    const score = await metrics['region-perturbation'].score(subject, options);
    const { curve } = detailOf(score);
    expect(curve).toHaveLength(4);
    for (const loss of curve) expect(loss).toBeCloseTo(curve[0], 6); // one image of random pixels for all steps of a repeat
    expect(Math.abs(curve[0] - 1)).toBeLessThan(0.1); // 1 − mean of U(−1, 1), which has a deviation of 0.026
    const { forwards, shared } = metrics['region-perturbation'].cost(
      { ...metrics['region-perturbation'].defaults, ...options },
      [1, 4, 4],
    );
    expect(seen()).toBe(forwards + shared.image);
  });

  test('random pixels differ from each other', async () => {
    const values = new Set<number>();
    const { predict } = counting((pixels) => {
      for (const pixel of pixels) values.add(pixel);
      return 0;
    });
    const subject = subjectOf([5], mapWith({ 5: 1 }), { predict });
    await metrics['region-perturbation'].score(subject, { ...free, baseline: 'random-pixels' });
    expect(values.size).toBe(3 + 16); // 1, 0, −1, and every pixel's own
    expect(Math.min(...values)).toBe(-1);
    expect(Math.max(...values)).toBe(1);
  });

  test.each([
    [{ placement: 'free', patchSize: 2, order: [0, 1] }, 'order to be one of morf, lerf, random'],
    [{ repeats: 2, patchSize: 2 }, 'repeats to be 1 with baseline black'],
    [{ baseline: 'noise', patchSize: 2 }, 'black, white, mean, uniform, random-pixels or a number'],
  ])('refuses %o', async (options, message) => {
    const score = metrics['region-perturbation'].score(subjectOf([5], mapWith({ 5: 1 })), options as object);
    await expect(score).rejects.toThrow(message);
  });
});

describe('continuity (Montavon et al.)', () => {
  const image = tensor([0, 1, 0], [1, 1, 3]);
  const explain = async ({ data }: Tensor) => tensor(data.slice(), [1, 3]);
  const subject: Subject = { image, map: tensor([0, 1, 0], [1, 3]), target: 0, predict: constant, explain };
  const raw = { steps: 7, normalise: 'none', absolute: false } as const;

  test.each([1, 2, 3, 32])('compares each step with the one before it (batches of %i)', async (batchSize) => {
    const score = await metrics.continuity.score({ ...subject, batchSize }, { ...raw, compare: 'neighbours' });
    const { shifts, ratios } = detailOf(score);
    expect(shifts).toEqual([-2, -1, 0, 1, 2, 3, 4]);
    // gone, left, middle, right, gone, gone, gone
    const expected = [0, 1, Math.SQRT2, Math.SQRT2, 1, 0, 0];
    for (const [step, ratio] of ratios.entries()) expect(ratio).toBeCloseTo(expected[step], 6);
    expect(score.value).toBeCloseTo(Math.SQRT2, 6);
    const far = detailOf(await metrics.continuity.score({ ...subject, batchSize }, raw)).ratios;
    for (const [step, ratio] of [1, Math.SQRT2, 0, Math.SQRT2, 1, 1, 1].entries())
      expect(far[step]).toBeCloseTo(ratio, 6);
  });

  test('an image of one colour has no score, whatever its map', async () => {
    const blank = { ...subject, image: tensor([2, 2, 2], [1, 1, 3]), explain: async () => tensor([0, 1, 1], [1, 3]) };
    const score = await metrics.continuity.score(blank);
    expect(score).toEqual({ value: null, reason: expect.stringContaining('image of one colour') });
  });
});

describe('non-sensitivity (Nguyen and Martínez)', () => {
  test('averages over draws and compares with zero', async () => {
    // half of the draws change nothing
    const { predict, seen } = counting((pixels) => Number(pixels[2] > 0.5));
    const options = { baseline: 'uniform', samples: 30, epsilon: 0 } as const;
    const right = subjectOf([5], mapWith({ 2: 1e-9 }), { predict });
    expect(numberOf(await metrics['non-sensitivity'].score(right, options))).toBe(0);
    const { forwards, shared } = metrics['non-sensitivity'].cost(
      { ...metrics['non-sensitivity'].defaults, ...options },
      [1, 4, 4],
    );
    expect(seen()).toBe(forwards + shared.image);
    const wrong = subjectOf([5], mapWith({ 3: 1e-9 }), { predict });
    expect(numberOf(await metrics['non-sensitivity'].score(wrong, options))).toBe(2);
  });

  test('draws anew for each sample', async () => {
    const drawn = new Set<number>();
    const { predict } = counting((pixels) => {
      drawn.add(pixels[2]);
      return 0;
    });
    const subject = subjectOf([5], mapWith({ 2: 1 }), { predict });
    await metrics['non-sensitivity'].score(subject, { baseline: 'uniform', samples: 4 });
    expect(drawn.size).toBe(1 + 4);
    const fixed = metrics['non-sensitivity'].score(subject, { samples: 2 });
    await expect(fixed).rejects.toThrow('samples to be 1 with baseline black');
  });
});

describe('effective complexity (Nguyen and Martínez)', () => {
  const sum = (pixels: Float32Array) => pixels[5] + pixels[6];
  const options = { pixels: 'sufficient', pixelsInStep: 1, baseline: 'black', output: 'logit' } as const;
  const { score, cost, defaults } = metrics['effective-complexity'];

  test('is the fewest pixels that keep the output', async () => {
    const { predict, seen } = counting(sum);
    const both = subjectOf([5, 6], mapWith({ 5: 2, 6: 1 }), { predict });
    const found = await score(both, options);
    expect(found.value).toBe(2);
    expect(detailOf(found).changes.slice(0, 4)).toEqual([16, 4, 0, 0]); // black is −1
    const { forwards, shared } = cost({ ...defaults, ...options }, [1, 4, 4]);
    expect(seen()).toBe(forwards + shared.image);
    expect((await score(both, { ...options, eps: 4 })).value).toBe(1);
    expect((await score(both, { ...options, pixelsInStep: 5 })).value).toBe(5);
    const misled = subjectOf(
      [5, 6],
      Array.from({ length: 16 }, (_, at) => (at === 6 ? 0 : 2 - at / 16)),
      { predict },
    );
    expect((await score(misled, options)).value).toBe(16);
    // the magnitude counts, so what speaks against the class does, too
    const against = subjectOf([5, 6], mapWith({ 5: 2, 6: -1 }), { predict });
    expect((await score(against, { ...options, absolute: false })).value).toBe(2);
  });

  test('a model that sees nothing needs nothing', async () => {
    expect((await score(subjectOf([5], mapWith({ 5: 1 })), { ...options, baseline: 'random-pixels' })).value).toBe(0);
  });

  test('takes the mean over its draws', async () => {
    const { predict } = counting(sum);
    const subject = subjectOf([5, 6], mapWith({ 5: 2, 6: 1 }), { predict, random: numpyRandom(1) });
    const { changes } = detailOf(await score(subject, { ...options, baseline: 'random-pixels', samples: 2000 }));
    // (2 − u − v)² and (1 − u)² of uniform u, v in [−1, 1)
    expect(Math.abs(changes[0] - (4 + 2 / 3))).toBeLessThan(0.3);
    expect(Math.abs(changes[1] - (1 + 1 / 3))).toBeLessThan(0.1);
    expect(changes[2]).toBe(0);
  });
});

describe('ROAD (Rong et al.)', () => {
  const image = uniformTensor(numpyRandom(1), [1, 4, 4], 0.5, 1);
  const changedBy = async (options: object) => {
    const counts: number[] = [];
    const { predict } = counting((pixels) => {
      counts.push(pixels.filter((value, at) => value !== image.data[at]).length);
      return 0;
    });
    const subject = {
      ...subjectOf([], mapWith({ 0: 1, 2: 1, 5: 1, 7: 1, 8: 1, 10: 1, 13: 1, 15: 1 })),
      image,
      predict,
    };
    await metrics.road.score(subject, { percentiles: [75], ...options });
    return counts;
  };

  test('by threshold equal pixels go together, by share the exact number goes', async () => {
    expect(await changedBy({})).toEqual([0, 8, 8]);
    expect(await changedBy({ removal: 'share' })).toEqual([0, 4, 4]);
  });
});
