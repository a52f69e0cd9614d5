import { type Predict, rows, type Tensor, tensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { type AnyMetric, metrics, type Subject, wilcoxonSignedRank } from '../src/index.ts';
import { extentOf, scaleMap } from '../src/normalise.ts';
import { numberOf } from './support/subjects.ts';

// Numbers worked out apart from this code: by hand, or from the formulas with NumPy and SciPy. Images are float32.

describe('ROAD', () => {
  const weights = [0.5, -1, 0.25, 2, -0.75, 1, -0.5, 0.3, 0.1];
  const image = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3]);
  const map = tensor([0.1, 0.9, 0.3, 0.5, 0.5, 0.2, 0.8, 0, 0.4], [3, 3]);
  const options = { percentiles: [40, 50, 70], noise: 0, output: 'logit' } as const;

  // With these ties the percentiles are 0.32, 0.4 and 0.5: they remove 5, 5 and 4 pixels, those at a threshold too.
  test('removes at the thresholds and above, and halves the difference of the means', async () => {
    const score = await metrics.road.score(weighing(weights, { image, map }), options);
    const most = [-0.4312054258, -0.4312054258, -0.301851217];
    const least = [-1.7156862745, -1.7156862745, 0.0253968254];
    const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 3)); // imputed to 1e-4
    expect(score).toEqual({
      value: expect.closeTo(-0.3736189425, 3),
      detail: { most: close(most), least: close(least) },
    });
  });

  test('adds to a pixel what depends on no other percentile, and on no other pixel that goes', async () => {
    const curves = async (percentiles: number[], shown = map) => {
      const subject = weighing(weights, { image, map: shown });
      const score = await metrics.road.score(subject, { ...options, percentiles, noise: 1 });
      if (score.value === null) throw new Error(score.reason);
      return score.detail as { readonly most: readonly number[]; readonly least: readonly number[] };
    };
    const [all, fewer] = [await curves([40, 50, 70]), await curves([70, 50])];
    expect(fewer.most).toEqual([all.most[2], all.most[1]]);
    expect(fewer.least).toEqual([all.least[2], all.least[1]]);
    const everything = await curves([0], tensor([1, 0, 0, 0, 0, 0, 0, 0, 0], [3, 3])); // removes every pixel either way
    expect(everything.most).toEqual(everything.least);
    const mean =
      weights.reduce((sum, weight) => sum + 5 * weight, 0) -
      weights.reduce((sum, weight, at) => sum + weight * (at + 1), 0);
    expect(Math.abs(everything.most[0] - mean)).toBeGreaterThan(0.01); // noise was added
  });
});

describe('sensitivity-n', () => {
  const weights = [0.5, -1, 0.25, 2, -0.75, 1];
  const companions: Subject[] = [];
  for (const [image, map] of [
    [
      [1, 0.5, -1, 2, 0.25, 0],
      [0.2, 0.8, 0.1, 1, 0.4, 0.3],
    ],
    [
      [0, 1, 2, -0.5, 1, 1],
      [0.6, 0.3, 0.9, 0.2, 0.5, 0],
    ],
    [
      [-1, 2, 0.5, 1, 1, -2],
      [0.1, 0.7, 0.4, 0.9, 0.35, 0.8],
    ],
  ]) {
    const own = { image: tensor(image, [1, 2, 3]), map: tensor(map, [2, 3]) };
    companions.push({ ...weighing(weights, own), companions });
  }

  test('takes features away one after another and correlates across images at each step', async () => {
    const score = await metrics['sensitivity-n'].score(companions[1], { baseline: 0 });
    // four steps of 0.8·6; at the first every map holds 1, so there is no correlation
    const curve = [-0.0379535093, -0.7273033223, -0.4579020723].map((value) => expect.closeTo(value, 6));
    expect(score).toEqual({ value: expect.closeTo(-0.4077196346, 6), detail: { curve } });
  });

  test('has no score for two images', async () => {
    const two = companions.slice(0, 2);
    expect(await metrics['sensitivity-n'].score({ ...two[0], companions: two }, { baseline: 0 })).toEqual({
      value: null,
      reason: 'sensitivity-n correlates across at least three companions, got 2.',
    });
  });

  test('counts its share in pixels, and for random sets in features', () => {
    const { cost, defaults } = metrics['sensitivity-n'];
    expect(cost({ ...defaults, featuresInStep: 2 }, [3, 4, 5]).forwards).toBe(8); // 0.8·20/2
    expect(cost({ ...defaults, featuresInStep: 2, subsets: 'random', samples: 3 }, [3, 4, 5]).forwards).toBe(72);
  });
});

describe('sufficiency', () => {
  // Standardised distances over their largest: 0.2055, 0.8165, 0.9130 from the first map, 1 from the second to the last
  const companions: Subject[] = [];
  for (const [map, brightness] of [
    [[1, 0.2, 0.5, 0], 1],
    [[0.9, 0.1, 0.6, 0.1], 2],
    [[0.2, 1, 0.3, 0.4], 3],
    [[-0.5, 0.8, 0.1, 1], -1],
  ] as const) {
    const own = { image: tensor([brightness, 0, 0, 0], [1, 2, 2]), map: tensor(map, [2, 2]) };
    companions.push({ ...weighing([1, 0, 0, 0], own), companions });
  }

  test.each([
    [0, 0.2, 0, 0],
    [0, 0.21, 1, 1],
    [0, 0.815, 1, 1],
    [0, 0.818, 1, 2],
    [0, 0.914, 2 / 3, 3],
    [2, 0.6, 0, 1],
    [1, 1, 2 / 3, 3], // the furthest lies at the threshold
  ])('of map %i with threshold %f is %f among %i neighbours', async (index, threshold, value, neighbours) => {
    const score = await metrics.sufficiency.score(companions[index], { threshold });
    expect(score).toEqual({ value: expect.closeTo(value, 12), detail: { neighbours } });
  });
});

test('IROF takes segments by their mean: one pixel of 0.9 before four of 0.5', async () => {
  const weights = [0.5, -0.3, 0.25, 1, -0.2, 0.4, 0.6, 0.3, 0.8];
  const image = tensor([1, 2, -1, 0.5, 1, 1, 2, -0.5, 1], [1, 3, 3]);
  const map = tensor([0.5, 0.5, 0.8, 0.5, 0.5, 0.6, 0.1, 0.2, 0.9], [3, 3]);
  const score = await metrics.irof.score(weighing(weights, { image, map }), { patchSize: 2, baseline: 0 });
  const curve = [0.891068397, 0.8634271408, 0.8228550976, 0.5554015792].map((value) => expect.closeTo(value, 6));
  expect(score).toMatchObject({ value: expect.closeTo(1.5904827735, 6), detail: { curve } });
});

describe('region perturbation by the mean of the padded image', () => {
  const perturb = (image: Tensor, map: Tensor, patchSize: number) =>
    metrics['region-perturbation'].score(weighing(Array(image.data.length).fill(1), { image, map }), {
      patchSize,
      baseline: 'mean',
      output: 'logit',
    });

  test('an edge that is replicated once counts twice', async () => {
    // padded 1 2 3 3 / 4 5 6 6, mean 30/8 = 3.75; then (4·3.75 + 3 + 3 + 6 + 6)/8 = 4.125
    const score = await perturb(tensor([1, 2, 3, 4, 5, 6], [1, 2, 3]), tensor([1, 1, 0, 1, 1, 0], [2, 3]), 2);
    expect(score).toMatchObject({ detail: { curve: [21 - 24, 21 - 23.25] } });
  });

  test('so do the edges on both sides', async () => {
    // columns 1 1 2 3 4 4, mean 2.5; then (3·2.5 + 3 + 4 + 4)/6 = 37/12; three rows of them
    const map = tensor([1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0], [3, 4]);
    const score = await perturb(tensor([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], [1, 3, 4]), map, 3);
    const curve = [30 - 36, 30 - 33.5].map((value) => expect.closeTo(value, 5));
    expect(score).toMatchObject({ detail: { curve } });
  });
});

test('the coherency of ADCC is (r + 1)/2', async () => {
  const image = tensor([2, 1, 1, 1], [1, 2, 2]);
  const explain = async () => tensor([1, 0, 0.5, 0.25], [2, 2]);
  const subject = { ...weighing([1, 0, 0, 0], { image, map: tensor([0.5, 1, 0, 0], [2, 2]) }), explain };
  // deviations (0.125, 0.625, −0.375, −0.375) and (0.5625, −0.4375, 0.0625, −0.1875)
  const coherency = (1 - 0.15625 / Math.sqrt(0.6875 * 0.546875)) / 2;
  const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
  const kept = sigmoid(1) / sigmoid(2);
  const score = await metrics.adcc.score(subject);
  expect(score).toMatchObject({ detail: { coherency: expect.closeTo(coherency, 12) } });
  expect(numberOf(score)).toBeCloseTo(3 / (1 / coherency + 1 / 0.625 + 1 / kept), 6);
});

test.each([
  [50, 'exact', 850, 0.03996834652842374],
  [51, 'normal', 901, 0.02568873999366418],
] as const)('Wilcoxon of %i pairs is %s, as SciPy’s', (pairs, method, positive, pValue) => {
  const differences = Array.from({ length: pairs }, (_, index) => (index % 3 === 0 ? -1 : 1) * (index + 1));
  const zeros = differences.map(() => 0);
  const result = wilcoxonSignedRank(differences, zeros);
  expect(result).toMatchObject({ method, positive, pValue: expect.closeTo(pValue, 10) });
  expect(wilcoxonSignedRank([...differences, 3], [...zeros, 3])).toEqual(result); // an equal pair does not count
});

describe('scaling of maps', () => {
  const scaled = (values: readonly number[], normalise: 'negative' | 'second-moment', absolute = false) => {
    const map = tensor(values, [2, 2]);
    return Array.from(scaleMap(map, extentOf([map], normalise), { normalise, absolute }).data);
  };

  test('by the second moment: 3, −4, 0, 0 over √(25/4)', () => {
    const found = scaled([3, -4, 0, 0], 'second-moment');
    for (const [index, value] of [1.2, -1.6, 0, 0].entries()) expect(found[index]).toBeCloseTo(value, 6);
  });

  test('by sign: positives over the maximum, negatives over the size of the minimum', () => {
    expect(scaled([2, 1, -4, -1], 'negative')).toEqual([1, 0.5, -1, -0.25]);
    expect(scaled([2, 1, -4, -1], 'negative', true)).toEqual([1, 0.5, 1, 0.25]);
    expect(scaled([2, 1, 0, 1], 'negative')).toEqual([1, 0.5, 0, 0.5]);
  });
});

describe('options', () => {
  const subject = weighing([1, 0, 0, 0], { image: tensor([1, 2, 3, 4], [1, 2, 2]), map: tensor([1, 2, 3, 4], [2, 2]) });

  test('that are undefined have their default, and null is refused by name', async () => {
    const metric: AnyMetric = metrics['region-perturbation'];
    const given = { patchSize: 1, order: undefined, regions: undefined };
    expect(await metric.score(subject, given)).toEqual(await metric.score(subject, { patchSize: 1 }));
    await expect(metric.score(subject, { patchSize: 1, order: null })).rejects.toThrow(
      new RangeError('region-perturbation expected order to have a value, got null; leave it out for its default.'),
    );
    await expect(metric.score(subject, null as never)).rejects.toThrow('expected options to be an object, got null');
  });

  test('two thousand million steps of continuity are one shift', async () => {
    expect(metrics.continuity.cost({ ...metrics.continuity.defaults, steps: 2e9 }, [1, 2, 2]).explanations).toBe(1);
    const score = await metrics.continuity.score(subject, { steps: 2e9 });
    expect(score).toMatchObject({ detail: { shifts: [-2] } });
  });
});

/** Class 1 has the logit Σ wᵢ xᵢ, class 0 has 0; the target is 1. */
function weighing(weights: readonly number[], own: Pick<Subject, 'image' | 'map'>): Subject {
  const predict: Predict = async (batch) => {
    const logits = Array.from({ length: batch.shape[0] }, (_, row) => [
      0,
      rows(batch, row, row + 1).data.reduce((sum, value, at) => sum + weights[at] * value, 0),
    ]);
    return tensor(logits.flat(), [batch.shape[0], 2]);
  };
  return { ...own, target: 1, predict, explain: async () => own.map };
}
