import { filled, tensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { adcc } from '../src/adcc.ts';
import { averageDrop } from '../src/average-drop.ts';
import { increaseInConfidence } from '../src/increase-in-confidence.ts';
import { sweepCache } from '../src/sweep-cache.ts';
import type { Subject } from '../src/types.ts';
import { constant, numberOf, onePixel, randomSubject, scaled } from './support/subjects.ts';

const confidence = [averageDrop, increaseInConfidence, adcc].map((metric) => [metric.name, metric] as const);

/** Class 1 has the logit of the first pixel, which is 2; class 0 has 0. */
const seen: Subject = {
  image: tensor([2, 1, 1, 1], [1, 2, 2]),
  map: tensor([0.5, 1, 0, 0], [2, 2]),
  target: 1,
  predict: onePixel(0),
  explain: async () => tensor([0.5, 1, 0, 0], [2, 2]),
};
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe('a model that sees one pixel, half masked', () => {
  const drop = (sigmoid(2) - sigmoid(1)) / sigmoid(2);

  test('average drop is the share of its probability that is lost, in percent', async () => {
    expect(numberOf(await averageDrop.score(seen))).toBeCloseTo(100 * drop, 4);
  });

  test('there is no increase, and none less for the class that gains', async () => {
    expect(await increaseInConfidence.score(seen)).toMatchObject({ value: 0 });
    expect(await increaseInConfidence.score({ ...seen, target: 0 })).toMatchObject({ value: 100 });
    expect(await averageDrop.score({ ...seen, target: 0 })).toMatchObject({ value: 0 });
  });

  test('ADCC is the harmonic mean of its three parts', async () => {
    const score = await adcc.score(seen);
    expect(score).toMatchObject({ detail: { complexity: 1.5 / 4, coherency: expect.closeTo(1, 6) } });
    expect(numberOf(score)).toBeCloseTo(3 / (1 + 1 / (1 - 1.5 / 4) + 1 / (1 - drop)), 5);
  });
});

test('a constant model loses nothing and gains nothing', async () => {
  const subject = { ...seen, predict: constant };
  expect(await averageDrop.score(subject)).toMatchObject({ value: 0 });
  expect(await increaseInConfidence.score(subject)).toMatchObject({ value: 0 });
});

describe('ADCC', () => {
  test('is 0 where the masked image has a map of one value, which correlates with nothing', async () => {
    const explain = async () => filled(0.3, 2, 2);
    expect(await adcc.score({ ...seen, explain })).toMatchObject({ value: 0, detail: { coherency: 0 } });
  });

  test('is 0 where the masked image has the opposite map', async () => {
    const explain = async () => tensor([-0.5, -1, 0, 0], [2, 2]);
    expect(numberOf(await adcc.score({ ...seen, explain }))).toBeLessThan(1e-6);
  });
});

describe.each(confidence)('%s', (_, metric) => {
  test('does not see the scale of the map, and takes its negative part for nothing', async () => {
    const subject = randomSubject(5, { predict: onePixel(7, 3) });
    const expected = await metric.score(subject);
    expect(await metric.score({ ...subject, map: scaled(subject.map, 4) })).toEqual(expected);
    const zero = {
      ...subject,
      map: tensor(
        subject.map.data.map((v, i) => (i < 3 ? 0 : v)),
        [4, 5],
      ),
    };
    const negative = {
      ...subject,
      map: tensor(
        subject.map.data.map((v, i) => (i < 3 ? -v : v)),
        [4, 5],
      ),
    };
    expect(await metric.score(negative)).toEqual(await metric.score(zero));
  });

  test('has no score for a map of zeros', async () => {
    expect(await metric.score({ ...seen, map: filled(0, 2, 2) })).toHaveProperty('reason');
  });

  test('classifies as many images as it says, and the image itself once for all its maps', async () => {
    let images = 0;
    const predict = (batch: Parameters<typeof constant>[0]) => {
      images += batch.shape[0];
      return constant(batch);
    };
    const shared = { ...seen, predict, sweeps: sweepCache() };
    await metric.score(shared);
    await metric.score(shared);
    const cost = metric.cost({}, [1, 2, 2]);
    expect(images).toBe(2 * cost.forwards + Object.values(cost.shared).reduce((sum, count) => sum + count, 0));
  });
});
