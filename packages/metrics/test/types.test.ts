import { tensor, zeros } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { defineMetric, type Subject } from '../src/index.ts';

const meanRelevance = defineMetric<{ readonly factor: number }>({
  name: 'mean-relevance',
  title: 'Mean relevance',
  category: 'complexity',
  better: 'lower',
  source: 'a mean',
  defaults: { factor: 1 },
  needs: [],
  check({ factor }) {
    if (!Number.isFinite(factor)) throw new RangeError(`mean-relevance expected factor to be finite, got ${factor}.`);
  },
  cost: () => ({ forwards: 0, explanations: 0, shared: {} }),
  measure: async ({ map }, { factor }) => ({
    value: (factor * map.data.reduce((sum, relevance) => sum + relevance, 0)) / map.data.length,
  }),
});

const subject: Subject = {
  image: zeros(3, 2, 2),
  target: 0,
  map: tensor([0, 0.5, 0.5, 1], [2, 2]),
  predict: async (batch) => zeros(batch.shape[0], 2),
  explain: async () => zeros(2, 2),
};

test('a metric scores a subject that is made of functions alone', async () => {
  expect(await meanRelevance.score(subject)).toEqual({ value: 0.5 });
  expect(await meanRelevance.score(subject, { factor: 4 })).toEqual({ value: 2 });
});

test('a metric refuses options and subjects that do not fit, by name, value and range', async () => {
  const refused = async (work: Promise<unknown>) => work.then(String, (error: Error) => error.message);
  expect(await refused(meanRelevance.score(subject, { factor: Number.NaN }))).toBe(
    'mean-relevance expected factor to be finite, got NaN.',
  );
  expect(await refused(meanRelevance.score(subject, { other: 1 } as object))).toBe(
    'mean-relevance has no option "other"; its options: factor.',
  );
  expect(await refused(meanRelevance.score({ ...subject, map: zeros(3, 3) }))).toBe(
    'mean-relevance expected a map of 2×2, as the image, got [3, 3].',
  );
  expect(await refused(meanRelevance.score({ ...subject, map: tensor([0, Number.NaN, 1, 1], [2, 2]) }))).toBe(
    'mean-relevance expected a map of finite numbers, got NaN at index 1.',
  );
  expect(await refused(meanRelevance.score({ ...subject, target: -1 }))).toContain('a class index from 0, got -1');
  expect(await refused(meanRelevance.score({ ...subject, batchSize: 0 }))).toContain('batchSize');
  expect(await refused(meanRelevance.score({ ...subject, image: zeros(2, 2) }))).toContain('an image of C×H×W');
});

test('a value that is not finite becomes null with a reason', async () => {
  const broken = defineMetric({ ...meanRelevance, measure: async () => ({ value: Number.NaN }) });
  expect(await broken.score(subject)).toEqual({
    value: null,
    reason: 'mean-relevance came out as NaN: its formula has no value for this map.',
  });
});
