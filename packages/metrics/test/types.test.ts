import { tensor, zeros } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import type { Metric, Subject } from '../src/index.ts';

const meanRelevance: Metric<object> = {
  name: 'mean-relevance',
  category: 'complexity',
  better: 'lower',
  source: "the example of the package's README",
  defaults: {},
  score: async ({ map }) => ({ value: map.data.reduce((sum, relevance) => sum + relevance, 0) / map.data.length }),
};

test('a metric scores a subject that is made of functions alone', async () => {
  const subject: Subject = {
    image: zeros(3, 2, 2),
    target: 0,
    map: tensor([0, 0.5, 0.5, 1], [2, 2]),
    predict: async (batch) => zeros(batch.shape[0], 2),
    explain: async () => zeros(2, 2),
  };
  expect(await meanRelevance.score(subject, meanRelevance.defaults)).toEqual({ value: 0.5 });
});
