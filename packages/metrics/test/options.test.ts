import { numpyRandom, type Predict, type Tensor, uniformTensor, zeros } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { type AnyMetric, type MetricName, metrics, type Subject, sweepCache } from '../src/index.ts';
import { linearModel } from './support/linear.ts';

// What every metric of the registry does with options: it refuses the bad ones before any work, and costs what it says.
const names = Object.keys(metrics) as MetricName[];
const shape = [3, 8, 8];
const layers = ['c', 'b', 'a'];

interface Counts {
  forwards: number;
  explanations: number;
}

/** A subject among three, whose own work and that of its companions is counted. */
function counted(): { subject: Subject; counts: Counts } {
  const random = numpyRandom(5);
  const counts = { forwards: 0, explanations: 0 };
  const model = linearModel(uniformTensor(random, [4, 192], -0.3, 0.3));
  const predict: Predict = (batch) => {
    counts.forwards += batch.shape[0];
    return model.predict(batch);
  };
  const explain = async (image: Tensor, target: number) => {
    counts.explanations++;
    return model.explain(image, target);
  };
  const mask = zeros(8, 8);
  for (let row = 0; row < 4; row++) mask.data.fill(1, 8 * row, 8 * row + 4); // a quadrant
  const randomise: Subject['randomise'] = { layers, explainer: async () => explain };
  const companions: Subject[] = [];
  for (let target = 0; target < 3; target++) {
    const [image, map] = [uniformTensor(random, shape, -2, 2), uniformTensor(random, [8, 8], 0, 1)];
    companions.push({ image, target, map, mask, predict, explain, randomise, companions, sweeps: sweepCache() });
  }
  return { subject: companions[0], counts };
}

/** Defaults that do not fit images of 3×8×8. */
const fitting: { readonly [name in MetricName]?: object } = {
  irof: { patchSize: 4 },
  'faithfulness-correlation': { subsetSize: 9 },
};
/** Numbers that these options may well be. */
const allowed: { readonly [option: string]: unknown } = { baseline: -7.5, low: -7.5, high: -7.5 };

test.each(names)('%s refuses what an option cannot be before any work, naming option and value', async (name) => {
  const { subject, counts } = counted();
  const metric: AnyMetric = metrics[name];
  for (const option of Object.keys(metric.defaults)) {
    for (const value of [Number.NaN, 'nonsense', null, Number.POSITIVE_INFINITY, -7.5, {}]) {
      if (allowed[option] === value) continue;
      const score = metric.score(subject, { ...fitting[name], [option]: value });
      await expect(score).rejects.toThrow(RangeError);
      await expect(score).rejects.toThrow(`${name} expected ${option} `);
      const { message } = await score.then(
        () => expect.unreachable(),
        (error: Error) => error,
      );
      expect([`got ${value}`, `got "${value}"`].some((got) => message.includes(got))).toBe(true);
    }
  }
  expect(counts).toEqual({ forwards: 0, explanations: 0 });
});

test.each([
  ['region-perturbation', { patchSize: 9 }],
  ['selectivity', { patchSize: 9 }],
  ['irof', { patchSize: 9 }],
  ['infidelity', { patchSize: 9 }],
  ['faithfulness-correlation', { subsetSize: 193 }],
  ['non-sensitivity', { featuresInStep: 0 }],
  ['pixel-flipping', { featuresInStep: 193 }],
  ['insertion', { pixelsInStep: 0 }],
  ['deletion', { pixelsInStep: -1 }],
  ['top-k-intersection', { k: 0 }],
  ['continuity', { steps: 0 }],
  ['road', { percentiles: [50, 101] }],
] as const)('%s refuses %o of an image of 3×8×8, with the range', async (name, options) => {
  const { subject, counts } = counted();
  const metric: AnyMetric = metrics[name];
  await expect(metric.score(subject, options)).rejects.toThrow(/ (in \[\d+, \d+\]|from \d+)/);
  expect(counts).toEqual({ forwards: 0, explanations: 0 });
});

const costs: readonly (readonly [MetricName, object])[] = [
  ['region-perturbation', { patchSize: 3, regions: 100 }],
  ['region-perturbation', { patchSize: 2, regions: 5, order: 'lerf' }],
  ['continuity', { steps: 4 }],
  ['continuity', { steps: 40 }],
  ['continuity', { steps: 3, whenPredictionChanges: 'score' }],
  ['complexity', {}],
  ['non-sensitivity', { featuresInStep: 1 }],
  ['non-sensitivity', { featuresInStep: 64 }],
  ['random-logit', { classes: 4 }],
  ['random-logit', { classes: 'model' }],
  ['pixel-flipping', { featuresInStep: 50 }],
  ['pixel-flipping', { featuresInStep: 1 }],
  ['insertion', { pixelsInStep: 10 }],
  ['deletion', { pixelsInStep: 64 }],
  ['selectivity', { patchSize: 3 }],
  ['irof', { patchSize: 5 }],
  ['road', { percentiles: [20, 50] }],
  ['faithfulness-correlation', { runs: 7, subsetSize: 9 }],
  ['faithfulness-estimate', { featuresInStep: 100 }],
  ['monotonicity-correlation', { featuresInStep: 64, samples: 4 }],
  ['infidelity', { patchSize: 4 }],
  ['infidelity', { patchSize: 2, samples: 3 }],
  ['average-drop', {}],
  ['adcc', {}],
  ['max-sensitivity', { samples: 6 }],
  ['local-lipschitz-estimate', { samples: 2 }],
  ['relative-input-stability', { samples: 5, low: 0, high: 1e-6 }],
  ['relative-input-stability', { samples: 5, whenPredictionChanges: 'score' }],
  ['completeness', {}],
  ['model-parameter-randomisation', {}],
  ['model-parameter-randomisation', { layers: 2, order: 'independent' }],
];

describe('a cost is what is counted', () => {
  test.each(costs)('%s with %o', async (name, options) => {
    const { subject, counts } = counted();
    const metric: AnyMetric = metrics[name];
    const target = (await linearTarget(subject)) ?? subject.target;
    const score = await metric.score({ ...subject, companions: undefined, target }, options);
    expect(score.value).not.toBeNull();
    const cost = metric.cost({ ...metric.defaults, ...options }, shape, layers.length);
    const shared = Object.values(cost.shared).reduce((sum, count) => sum + count, 0);
    expect(counts.explanations).toBe(cost.explanations);
    // groups of features below ε and of the others may both end short, or not
    expect(cost.forwards + shared - counts.forwards).toBeLessThanOrEqual(name === 'non-sensitivity' ? 1 : 0);
    expect(cost.forwards + shared).toBeGreaterThanOrEqual(counts.forwards);
    expect(metric.cost({ ...metric.defaults, ...options }, shape, layers.length)).toEqual(cost); // the same again
  });
});

/** The class that the model predicts, without being counted. */
async function linearTarget({ image }: Subject): Promise<number | undefined> {
  const { subject } = counted();
  const { data } = await subject.predict({ data: image.data, shape: [1, ...image.shape] });
  return data.indexOf(Math.max(...data));
}
