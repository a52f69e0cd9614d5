import { filled, tensor, zeros } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { focus } from '../src/focus.ts';
import { localisationAuc } from '../src/localisation-auc.ts';
import { pointingGame } from '../src/pointing-game.ts';
import { relevanceMassAccuracy } from '../src/relevance-mass-accuracy.ts';
import { relevanceRankAccuracy } from '../src/relevance-rank-accuracy.ts';
import { topKIntersection } from '../src/top-k-intersection.ts';
import type { AnyMetric, Subject } from '../src/types.ts';
import { rectangle } from './support/golden-maps.ts';
import { numberOf, randomSubject, scaled } from './support/subjects.ts';

const localisation: readonly AnyMetric[] = [
  pointingGame,
  relevanceMassAccuracy,
  relevanceRankAccuracy,
  topKIntersection,
  localisationAuc,
  focus,
];
const everyMetric = localisation.map((metric) => [metric.name, metric] as const);

/** The lower right quadrant of 4×4. */
const mask = rectangle(4, 4, { top: 2, bottom: 3, left: 2, right: 3 });

function located(map: readonly number[] | Float32Array<ArrayBuffer>, changes: Partial<Subject> = {}): Subject {
  return randomSubject(1, { image: zeros(3, 4, 4), map: tensor(map, [4, 4]), mask, ...changes });
}

describe.each(everyMetric)('%s', (_, metric) => {
  const options = metric === topKIntersection ? { k: 4 } : {};

  test('is 1 for a map that is the mask, and 0 for one that is everything else', async () => {
    expect(numberOf(await metric.score(located(mask.data), options))).toBeCloseTo(1, 8);
    expect(numberOf(await metric.score(located(mask.data.map((value) => 1 - value)), options))).toBeCloseTo(0, 8);
  });

  test('does not see the scale of the map', async () => {
    const subject = located(randomSubject(3).map.data.slice(0, 16));
    const larger = { ...subject, map: scaled(subject.map, 1024) };
    expect(numberOf(await metric.score(larger, options))).toBeCloseTo(
      numberOf(await metric.score(subject, options)),
      8,
    );
  });

  test('has no score without a mask or with an empty one, and says so', async () => {
    expect(await metric.score({ ...located(mask.data), mask: undefined }, options)).toEqual({
      value: null,
      reason: `${metric.name} needs a mask of the object; the subject has none.`,
    });
    expect(await metric.score(located(mask.data, { mask: zeros(4, 4) }), options)).toEqual({
      value: null,
      reason: 'The mask is empty: there is no object to find.',
    });
  });

  test('refuses a mask of another size or of other numbers', async () => {
    await expect(metric.score(located(mask.data, { mask: zeros(3, 4) }), options)).rejects.toThrow('mask of 4×4');
    await expect(metric.score(located(mask.data, { mask: filled(0.5, 4, 4) }), options)).rejects.toThrow(
      'zeros and ones',
    );
  });

  test('costs nothing', () => {
    const cost = metric.cost({ ...metric.defaults, ...options }, [3, 4, 4]);
    expect(cost).toEqual({ forwards: 0, explanations: 0, shared: {} });
  });
});

/** 1 to 16 in row-major order. */
const rising = Array.from({ length: 16 }, (_, index) => index + 1);

test('worked by hand: 1 to 16 in reading order, the object in the lower right quadrant', async () => {
  const subject = located(rising); // inside: 11, 12, 15, 16
  expect(await pointingGame.score(subject)).toEqual({ value: 1 });
  expect(numberOf(await relevanceMassAccuracy.score(subject))).toBeCloseTo(54 / 136, 6);
  expect(await relevanceRankAccuracy.score(subject)).toEqual({ value: 2 / 4 }); // 13 to 16
  expect(await topKIntersection.score(subject, { k: 6 })).toEqual({ value: 4 / 6 }); // 11 to 16 without 13 and 14
  expect(await localisationAuc.score(subject)).toEqual({ value: (54 - 10) / 48 });
  expect(numberOf(await focus.score(subject))).toBeCloseTo(54 / 136, 6);
});

describe('pointing game', () => {
  test('is a hit if any of several largest values is', async () => {
    expect(await pointingGame.score(located([9, ...new Array(14).fill(0), 9]))).toEqual({ value: 1 });
    expect(await pointingGame.score(located([9, ...new Array(14).fill(0), 8]))).toEqual({ value: 0 });
  });

  test('tolerates a miss by as many pixels as it is told, as the crow flies', async () => {
    const miss = located([0, 0, 0, 0, 0, 9, ...new Array(10).fill(0)]); // one up and one left of the quadrant
    expect(await pointingGame.score(miss, { tolerance: 1 })).toEqual({ value: 0 });
    expect(await pointingGame.score(miss, { tolerance: 1.5 })).toEqual({ value: 1 });
    await expect(pointingGame.score(miss, { tolerance: -1 })).rejects.toThrow(
      'tolerance to be a number from 0, got -1',
    );
  });
});

test('magnitudes count where they are asked for', async () => {
  const subject = located([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, -3, 0, 0, 0, 0, 0]);
  expect(await pointingGame.score(subject, { absolute: true })).toEqual({ value: 1 });
  expect(await relevanceMassAccuracy.score(subject, { absolute: true })).toEqual({ value: 3 / 4 });
  expect(await relevanceMassAccuracy.score(subject)).toEqual({ value: 3 / 2 });
});

test('relevance that adds up to zero has no shares', async () => {
  const subject = located([1, -1, ...new Array(14).fill(0)]);
  expect(await relevanceMassAccuracy.score(subject)).toEqual({
    value: null,
    reason: 'The relevance of all pixels adds up to 0: it has no shares.',
  });
});

test('top-k takes all pixels where there are fewer, and can be put against chance', async () => {
  const subject = located(rising);
  expect(await topKIntersection.score(subject)).toEqual({ value: 4 / 16 });
  expect(await topKIntersection.score(subject, { conceptInfluence: true })).toEqual({ value: 1 });
  await expect(topKIntersection.score(subject, { k: 0 })).rejects.toThrow('k to be a whole number from 1, got 0');
});

test('equal relevance counts half in the AUC, and a mask of everything has none', async () => {
  const upper = rectangle(4, 4, { top: 0, bottom: 1, left: 0, right: 3 });
  const subject = located([1, 1, ...new Array(14).fill(0)], { mask: upper });
  expect(await localisationAuc.score(subject)).toEqual({ value: (2 * 8 + (6 * 8) / 2) / 64 }); // wins and ties of 8×8 pairs
  const everywhere = located(rising, { mask: filled(1, 4, 4) });
  expect(await localisationAuc.score(everywhere)).toHaveProperty('reason');
});

test('focus needs a mask made of quadrants', async () => {
  const crooked = rectangle(4, 4, { top: 1, bottom: 3, left: 2, right: 3 });
  expect(await focus.score(located(rising, { mask: crooked }))).toEqual({
    value: null,
    reason: 'The mask is not made of quadrants: focus needs a mosaic of four images.',
  });
});
