import { filled, numpyRandom, stack, type Tensor, tensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { averageSensitivity } from '../src/average-sensitivity.ts';
import { localLipschitzEstimate } from '../src/local-lipschitz-estimate.ts';
import { maxSensitivity } from '../src/max-sensitivity.ts';
import { relativeInputStability } from '../src/relative-input-stability.ts';
import type { Subject } from '../src/types.ts';
import { brightness, constant, numberOf, onePixel, randomSubject, scaled } from './support/subjects.ts';

const robustness = { maxSensitivity, averageSensitivity, localLipschitzEstimate, relativeInputStability };
const everyMetric = Object.values(robustness).map((metric) => [metric.name, metric] as const);

describe.each(everyMetric)('%s', (_, metric) => {
  test('is 0 for an explainer that always says the same', async () => {
    const subject = randomSubject(1);
    expect(await metric.score({ ...subject, explain: async () => subject.map }, { samples: 3 })).toMatchObject({
      value: 0,
    });
  });

  test('gives the same bytes for the same seed, whatever the batch size', async () => {
    const scores = [1, 2, 7, 32].map((batchSize) =>
      metric.score(ownMap(randomSubject(2, { batchSize, random: numpyRandom(9) })), { samples: 7 }),
    );
    const [first, ...others] = await Promise.all(scores);
    for (const other of others) expect(other).toEqual(first);
    expect(numberOf(first)).toBeGreaterThan(0);
  });

  test('explains batches where it can, with the same result', async () => {
    const sizes: number[] = [];
    const explainBatch = async (images: Tensor) => {
      sizes.push(images.shape[0]);
      return stack(await Promise.all(imagesOf(images).map(asRow)));
    };
    const subject = ownMap(randomSubject(3, { batchSize: 4 }));
    const batched = await metric.score({ ...subject, explainBatch }, { samples: 6 });
    expect(batched).toEqual(await metric.score(subject, { samples: 6 }));
    expect(sizes).toEqual([4, 2]);
  });

  test('costs one explanation a sample', async () => {
    let explanations = 0;
    const explain = (image: Tensor) => {
      explanations++;
      return brightness(image);
    };
    await metric.score(randomSubject(4, { explain }), { samples: 5 });
    expect(explanations).toBe(metric.cost({ ...metric.defaults, samples: 5 } as never, [3, 4, 5]).explanations);
  });

  test('has no score for a map of zeros', async () => {
    const score = await metric.score(randomSubject(1, { map: filled(0, 4, 5) }));
    expect(score).toEqual({ value: null, reason: expect.stringContaining('zero everywhere') });
  });

  test('refuses no samples before it explains anything', async () => {
    const explain = () => Promise.reject(new Error('explained'));
    await expect(metric.score(randomSubject(1, { explain }), { samples: 0 })).rejects.toThrow(
      `${metric.name} expected samples to be a whole number from 1, got 0.`,
    );
  });
});

describe('an explainer that returns one channel of the image', () => {
  const explain = async ({ data, shape }: Tensor) => tensor(data.slice(0, shape[1] * shape[2]), shape.slice(1));
  const image = filled(1, 1, 2, 2);
  const subject: Subject = { image, map: tensor([1, 1, 1, 2], [2, 2]), target: 0, predict: constant, explain };

  test('moves with the noise: max and average sensitivity are those of the noise over the norm of the map', async () => {
    const random = numpyRandom(0);
    const own = { ...subject, map: tensor([1, 1, 1, 1], [2, 2]), image: tensor([1, 1, 1, 1 + 1e-6], [1, 2, 2]) };
    const moved = { ...own, map: tensor(own.image.data, [2, 2]) };
    const norms = [1, 2, 3].map(() => Math.hypot(...Array.from({ length: 4 }, () => random.uniformBetween(-0.2, 0.2))));
    expect(numberOf(await maxSensitivity.score(moved, { samples: 3 }))).toBeCloseTo(Math.max(...norms) / 2, 5);
    const average = norms.reduce((sum, value) => sum + value, 0) / 3;
    expect(numberOf(await averageSensitivity.score(moved, { samples: 3 }))).toBeCloseTo(average / 2, 5);
    const plain = { samples: 3, relative: false };
    expect(numberOf(await maxSensitivity.score(moved, plain))).toBeCloseTo(Math.max(...norms), 5);
    expect(numberOf(await averageSensitivity.score(moved, plain))).toBeCloseTo(average, 5);
  });

  test('has the Lipschitz constant 1 where maps are not scaled', async () => {
    const own = { ...subject, image: tensor([1, 2, 3, 4], [1, 2, 2]), map: tensor([1, 2, 3, 4], [2, 2]) };
    expect(numberOf(await localLipschitzEstimate.score(own, { samples: 4, normalise: 'none' }))).toBeCloseTo(1, 5);
  });

  test('changes relatively as much as the image', async () => {
    const own = { ...subject, image: tensor([1, 2, 3, 4], [1, 2, 2]), map: tensor([1, 2, 3, 4], [2, 2]) };
    expect(numberOf(await relativeInputStability.score(own, { samples: 4 }))).toBeCloseTo(1, 5);
  });
});

test('scaling the maps changes sensitivity, the scaled Lipschitz estimate and relative stability not at all', async () => {
  for (const [, metric] of everyMetric) {
    const subject = ownMap(randomSubject(6));
    const larger: Subject = {
      ...subject,
      map: scaled(subject.map, 8), // a power of two keeps every bit
      explain: async (image) => scaled(await brightness(image), 8),
    };
    expect(await metric.score(larger, { samples: 4 })).toEqual(await metric.score(subject, { samples: 4 }));
  }
});

describe('relative input stability', () => {
  const flipping = onePixel(0, 100); // class 1 as soon as the first number is positive

  test('has no score when noise changes the prediction, unless asked to score all the same', async () => {
    const image = filled(-0.01, 3, 4, 5);
    const subject = ownMap(randomSubject(1, { image: { ...image, data: image.data.map((v, i) => v - (i % 7)) } }));
    const changing = { ...subject, predict: flipping };
    expect(await relativeInputStability.score(changing, { samples: 3 })).toEqual({
      value: null,
      reason: 'The noise changes the predicted class from 0 to 1.',
    });
    expect(await relativeInputStability.score(changing, { samples: 3, whenPredictionChanges: 'score' })).toHaveProperty(
      'detail',
    );
  });

  test('leaves out the copies of another class where it is told to, and has no score without any other', async () => {
    const image = tensor([-0.1, 1], [1, 1, 2]);
    const explain = async (x: Tensor) => tensor([x.data[0], x.data[1]], [1, 2]);
    const predict = onePixel(0, 100);
    const subject: Subject = { image, map: tensor([-0.1, 1], [1, 2]), target: 0, predict, explain };
    const options = { samples: 20, low: -0.2, high: 0.2, whenPredictionChanges: 'skip' } as const;
    const random = numpyRandom(0);
    const kept = Array.from({ length: 20 }, () => [random.uniformBetween(-0.2, 0.2), random.uniform()]).filter(
      ([noise]) => noise - 0.1 < 0,
    );
    const score = await relativeInputStability.score(subject, options);
    expect(score).toHaveProperty('detail.quotients.length', kept.length);
    expect(kept.length).toBeLessThan(20);
    expect(await relativeInputStability.score(subject, { ...options, low: 0.15 })).toEqual({
      value: null,
      reason: 'The noise changes the predicted class from 0 in every copy.',
    });
  });

  test('counts a zero of the map as 1e-6', async () => {
    const image = tensor([1, 1], [1, 1, 2]);
    const explain = async (x: Tensor) => tensor([1, x.data[0] === 1 ? 0 : 1e-6], [1, 2]);
    const subject: Subject = { image, map: tensor([1, 0], [1, 2]), target: 0, predict: constant, explain };
    const score = await relativeInputStability.score(subject, { samples: 1, low: 0.5, high: 0.5 });
    expect(numberOf(score)).toBeCloseTo(1 / Math.hypot(0.5, 0.5), 5); // map: (0, 1e-6/1e-6); image: (0.5, 0.5)
  });

  test('refuses bounds that are the wrong way round', async () => {
    await expect(relativeInputStability.score(randomSubject(1), { low: 0.3, high: 0.2 })).rejects.toThrow(
      'relative-input-stability expected low to be a number up to high, which is 0.2, got 0.3.',
    );
  });
});

/** The subject with the map that its explainer gives. */
function ownMap(subject: Subject): Subject {
  const [channels, size] = [subject.image.shape[0], subject.map.data.length];
  const map = subject.map.data.map((_, pixel) =>
    Array.from({ length: channels }, (_, c) => Math.abs(subject.image.data[c * size + pixel])).reduce((a, b) => a + b),
  );
  return { ...subject, map: tensor(map, subject.map.shape) };
}

function imagesOf(images: Tensor): Tensor[] {
  const size = images.data.length / images.shape[0];
  return Array.from({ length: images.shape[0] }, (_, index) =>
    tensor(images.data.slice(index * size, (index + 1) * size), images.shape.slice(1)),
  );
}

async function asRow(image: Tensor): Promise<Tensor> {
  const map = await brightness(image);
  return tensor(map.data, [1, ...map.shape]);
}
