import {
  numpyRandom,
  type Predict,
  referenceEngine,
  tensor,
  uniformTensor,
  variantPredictor,
  zeros,
} from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { type AnyMetric, evaluate, metrics, type Subject, sweepCache } from '../src/index.ts';
import { meanRanks } from '../src/statistics/rank.ts';
import { brightness, randomSubject } from './support/subjects.ts';

// `predict` and `explain` here answer at once, so a timer has its turn only if the loops give it one.
let asked = 0;
const predict: Predict = async (batch) => {
  asked += batch.shape[0];
  return zeros(batch.shape[0], 2);
};
const explain: Subject['explain'] = async (image) => {
  asked++;
  return brightness(image);
};

describe('a timer stops a score between two batches', () => {
  const image = uniformTensor(numpyRandom(1), [3, 40, 40], -1, 1);
  const map = uniformTensor(numpyRandom(2), [40, 40], 0, 1);
  const maps = tensor(map.data, [1, 40, 40]);
  const classifier = variantPredictor(referenceEngine(), predict);
  const batched: Partial<Subject> = {
    explainBatch: async () => {
      asked++;
      return maps;
    },
  };

  test.each<[string, AnyMetric, object, Partial<Subject>]>([
    ['of replaced features', metrics['pixel-flipping'], {}, {}],
    ['of variants by a classifier', metrics['pixel-flipping'], {}, { classifier }],
    ['of drawn variants', metrics['faithfulness-correlation'], { runs: 5000 }, {}],
    ['of explanations', metrics['max-sensitivity'], { samples: 5000 }, {}],
    ['of explanations in batches', metrics['max-sensitivity'], { samples: 5000 }, batched],
  ])('%s', async (_, metric, options, more) => {
    asked = 0;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error('enough')), 30);
    const subject = { image, map, target: 0, predict, explain, batchSize: 1, signal: abort.signal, ...more };
    await expect(metric.score(subject, options)).rejects.toThrow('enough');
    clearTimeout(timer);
    expect(asked).toBeLessThan(4800); // all of them
  });
});

describe('explanations made anew with NaN', () => {
  const broken = async () => tensor(Array(20).fill(Number.NaN), [4, 5]);
  const randomise: Subject['randomise'] = { layers: ['fc'], explainer: async () => broken };

  test.each<[AnyMetric, object]>([
    [metrics.continuity, {}],
    [metrics['random-logit'], {}],
    [metrics['max-sensitivity'], { samples: 2 }],
    [metrics['average-sensitivity'], { samples: 2 }],
    [metrics['local-lipschitz-estimate'], { samples: 2 }],
    [metrics['relative-input-stability'], { samples: 2 }],
    [metrics.adcc, {}],
    [metrics['model-parameter-randomisation'], {}],
  ])('are no score but a reason: $name', async (metric, options) => {
    expect(await metric.score(randomSubject(1, { explain: broken, randomise }), options)).toEqual({
      value: null,
      reason: `${metric.name} has no score here: explain returned a map with NaN at index 0.`,
    });
  });

  test('have no ranks', () => {
    expect(() => meanRanks([1, Number.NaN, 2])).toThrow('meanRanks expected numbers, got NaN at index 1.');
  });
});

describe('the scope of the batch', () => {
  const subjects = [1, 2, 3].map((seed) => randomSubject(seed, { explain, predict, target: seed % 2 }));

  test.each([
    [metrics.continuity, { steps: 5, normaliseScope: 'batch' }],
    [metrics['random-logit'], { normaliseScope: 'batch' }],
  ] as const)('explains as often as it says, all companions together: $name', async (metric: AnyMetric, options) => {
    asked = 0;
    let explanations = 0;
    const values: (number | null)[] = [];
    for await (const row of evaluate({ subjects, measurements: [{ metric, options }] })) {
      explanations += row.explanations;
      values.push(row.value);
    }
    const cost = metric.cost({ ...metric.defaults, ...options }, [3, 4, 5]);
    expect(explanations).toBe(3 * cost.explanations);
    const alone = subjects.map((own) => metric.score({ ...own, companions: subjects }, options)); // without caches
    expect((await Promise.all(alone)).map(({ value }) => value)).toEqual(values);
  });
});

test('non-sensitivity keeps one sweep for each target, under the key that its cost names', async () => {
  const keys: string[] = [];
  const cache = sweepCache();
  const sweeps: Subject['sweeps'] = {
    once(key, work) {
      keys.push(key);
      return cache.once(key, work);
    },
  };
  const metric: AnyMetric = metrics['non-sensitivity'];
  for (const target of [1, 0]) await metric.score(randomSubject(1, { predict, target, sweeps }));
  const stated = Object.keys(metric.cost(metric.defaults, [3, 4, 5]).shared);
  for (const target of [1, 0]) {
    for (const key of stated) expect(keys).toContain(key.replace(/\/target$/, `/${target}`));
  }
});

test('monotonicity correlation draws alike however many groups are alive at once', async () => {
  const random = numpyRandom(3);
  const image = uniformTensor(random, [3, 20, 20], -1, 1); // 1,200 groups: two portions of 1,024, or one of 1,200
  const map = uniformTensor(random, [20, 20], 0, 1);
  const bright: Predict = async (batch) => {
    const logits = zeros(batch.shape[0], 2);
    for (const [index, value] of batch.data.entries()) logits.data[2 * Math.floor(index / 1200)] += value / 100;
    return logits;
  };
  const [few, many] = await Promise.all(
    [32, 600].map((batchSize) =>
      metrics['monotonicity-correlation'].score(
        { image, map, target: 0, predict: bright, explain, batchSize },
        { samples: 2 },
      ),
    ),
  );
  expect(few.value).not.toBeNull();
  expect(few).toEqual(many);
});
