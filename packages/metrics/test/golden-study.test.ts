import { describe, expect, test } from 'vitest';
import { goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import {
  type AnyMetric,
  type MetricName,
  metrics,
  type Score,
  type Subject,
  similarityAlongRows,
} from '../src/index.ts';
import { gridRegions, regionSums } from '../src/regions.ts';
import { item } from './support/linear.ts';
import { optionsFrom } from './support/peer-options.ts';
import {
  type Recorded,
  shareOf,
  type ToyCase,
  tinyExpected,
  tinySubjects,
  toyCases,
  toySubjects,
} from './support/toys.ts';

// Toys are linear models in float32: sums differ in the last bits.
const tolerance = 1e-5;

function scoresOf(toy: ToyCase, name: MetricName, more: (index: number) => object = () => ({})): Promise<Score[]> {
  const metric: AnyMetric = metrics[name];
  const subjects = toySubjects(toy.toy, toy.map, toy.scope);
  return Promise.all(
    subjects.map((subject, index) => {
      const random = shareOf(index, subjects.length, seed);
      return metric.score(
        { ...subject, random },
        { ...optionsFrom(toy.params), normaliseScope: 'batch', ...more(index) },
      );
    }),
  );
}

const { seed } = goldenSet('metrics');

function numbers(recorded: Recorded): number[] {
  return (recorded.scores ?? []).map((score) => (Number.isFinite(Number(score)) ? Number(score) : Number.NaN));
}

/** NaN of the peer is null here. */
function expectClose(scores: readonly Score[], expected: readonly number[], relative = tolerance): void {
  expect(scores.length).toBe(expected.length);
  for (const [index, score] of scores.entries()) {
    if (Number.isNaN(expected[index])) expect(score.value).toBeNull();
    else
      expect(Math.abs((score.value ?? Number.NaN) - expected[index])).toBeLessThanOrEqual(
        relative * Math.max(1, Math.abs(expected[index])),
      );
  }
}

function inBatch(metric: string): ToyCase[] {
  return toyCases(metric).filter(({ recorded, map }) => !recorded.raises && map !== 'edge');
}

describe.each([
  ['Complexity', 'complexity'],
  ['Continuity', 'continuity'],
  ['RandomLogit', 'random-logit'],
] as const)('%s', (peer, name) => {
  test.each(inBatch(peer).map((toy) => [toy.name, toy] as const))('%s', async (_, toy) => {
    expectClose(await scoresOf(toy, name), numbers(toy.recorded));
  });
});

describe('RegionPerturbation', () => {
  test.each(inBatch('RegionPerturbation').map((toy) => [toy.name, toy] as const))('%s', async (_, toy) => {
    const orders = (toy.recorded.scores ?? []).map((_, index) =>
      (toy.recorded.patch_order ?? []).map((step) => step[index]),
    );
    const own = await scoresOf(toy, 'region-perturbation');
    for (const [index, score] of own.entries()) {
      const found = relevanceInOrder(toy, index, detailOf(score).order);
      // the peer sums regions in float32, which parts some that are equal
      expect(furthest(found, relevanceInOrder(toy, index, orders[index]))).toBeLessThanOrEqual(1e-6);
    }
    // equal regions fall otherwise in the peer's unstable sort: its order is replayed where it is not ours
    const same = own.every((score, index) => String(detailOf(score).order) === String(orders[index]));
    const scores = same ? own : await scoresOf(toy, 'region-perturbation', (index) => ({ order: orders[index] }));
    for (const [index, score] of scores.entries()) {
      const detail = detailOf(score);
      const expected = toy.recorded.scores?.[index] as number[]; // a curve for each image
      expect(furthest(detail.curve, expected)).toBeLessThanOrEqual(tolerance);
      expect(detail.area).toBeCloseTo(toy.recorded.auc_trapz_dx1?.[index] ?? Number.NaN, 4);
    }
  });
});

/** What the regions hold, in an order; a random order is compared itself. */
function relevanceInOrder({ toy, map, scope, params }: ToyCase, index: number, order: readonly number[]): number[] {
  if (params.order === 'random') return [...order];
  const { map: relevance } = toySubjects(toy, map, scope)[index];
  const [height, width] = relevance.shape;
  const sums = regionSums(relevance, gridRegions(height, width, Number(params.patch_size)));
  return Array.from(order, (region) => sums[region]);
}

describe('NonSensitivity', () => {
  test.each(inBatch('NonSensitivity').map((toy) => [toy.name, toy] as const))('%s', async (_, toy) => {
    const scores = await scoresOf(toy, 'non-sensitivity');
    expect(scores.map(({ value }) => value)).toEqual(numbers(toy.recorded));
    for (const [index, score] of scores.entries()) {
      const { belowEpsilon, insensitive, both } = detailOf(score);
      const { below_eps_attribution, insensitive: expected, both: together } = toy.recorded.pixels ?? {};
      expect([belowEpsilon, insensitive, both]).toEqual([
        below_eps_attribution[index],
        expected[index],
        together[index],
      ]);
    }
  });
});

describe('what the peer refuses', () => {
  const edges = [...toyCases('edge')].filter(({ recorded }) => recorded.raises);
  test.each(edges.map((toy) => [toy.name, toy] as const))('%s has no score, and a reason', async (name, toy) => {
    const [, , metric, kind] = name.split('/');
    const [subject] = toySubjects(toy.toy, 'a');
    const values: { readonly [kind: string]: number } = { zeros: 0, ones: 1, constant: 0.25, negative: -1 };
    if (kind === 'default_num_classes') {
      const draws = { ...subject, companions: [subject] };
      expect((await metrics['random-logit'].score(draws)).value).not.toBeNull(); // asks the model for its classes
      expect(await metrics['random-logit'].score(draws, { classes: 1000 })).toEqual({
        value: null,
        reason: expect.stringMatching(
          /^random-logit has no score here: for class \d+, drawn from the 1000 of its option classes, explain returned a map with NaN at index 0\.$/,
        ),
      });
      return;
    }
    expect(Object.keys(values)).toContain(kind);
    const map = {
      ...subject.map,
      data: subject.map.data.map((value) => (kind === 'negative' ? -value - 1 : values[kind])),
    };
    const ours: AnyMetric = metric === 'Complexity' ? metrics.complexity : metrics['region-perturbation'];
    expect(await ours.score({ ...subject, map })).toEqual({
      value: null,
      reason: expect.stringContaining('the map is'),
    });
  });
});

describe('similarity of flattened maps', () => {
  const cases = goldenSet('metrics').values.filter(({ name }) => name.endsWith('ssim_flat/a_vs_a_random'));
  test.each(cases.map(({ name, value }) => [name, value as number[]] as const))('%s', (name, expected) => {
    const toy = name.split('/')[0];
    const [left, right] = ['a', 'a_random'].map((map) => goldenSet('metrics').array(`${toy}/${map}`));
    for (const [index, value] of expected.entries()) {
      const shape = left?.shape.slice(2);
      expect(similarityAlongRows(item(left!, index, shape), item(right!, index, shape))).toBeCloseTo(value, 5);
    }
  });
});

describe('the case M', () => {
  const { batch, perImage } = tinyExpected();
  const score = (name: MetricName, options: object, subjects: readonly Subject[] = tinySubjects()) =>
    Promise.all(subjects.map((subject) => (metrics[name] as AnyMetric).score(subject, options)));

  test.each([
    ['RegionPerturbation_p4_L2_black', { patchSize: 4, regions: 2 }],
    ['RegionPerturbation_p2_L100_mean', { patchSize: 2, baseline: 'mean' }],
    ['RegionPerturbation_p2_L100_white_lerf', { patchSize: 2, baseline: 'white', order: 'lerf' }],
  ])('%s', async (name, options) => {
    const curves = (await score('region-perturbation', options)).map((found) => detailOf(found).curve);
    for (const [index, curve] of curves.entries()) {
      expect(furthest(curve, batch[name][index] as number[])).toBeLessThanOrEqual(tolerance); // curves
    }
  });

  test.each([4, 5])('Continuity in %i steps', async (steps) => {
    expectClose(
      await score('continuity', { steps, normaliseScope: 'batch' }),
      batch[`Continuity_n${steps}`] as number[],
    );
    expectClose(await score('continuity', { steps }), perImage[`Continuity_n${steps}`].flat());
  });

  test('Continuity in more steps than shifts: every shift is −W', async () => {
    expectClose(await score('continuity', { steps: 28, normaliseScope: 'batch' }), [0.823432, 0.826931]); // spec 2.2
  });

  test('Complexity', async () => {
    expectClose(await score('complexity', {}), batch.Complexity as number[]);
  });

  test.each([1, 2, 4, 8, 24])('NonSensitivity with %i features in a step', async (featuresInStep) => {
    const values = (await score('non-sensitivity', { featuresInStep })).map(({ value }) => value);
    expect(values).toEqual(batch[`NonSensitivity_f${featuresInStep}`]);
    expect(values).toEqual(perImage[`NonSensitivity_f${featuresInStep}`].flat());
  });

  test('RandomLogit in each scope of normalisation', async () => {
    expectClose(await score('random-logit', { normaliseScope: 'batch' }), batch.RandomLogit_K5 as number[]);
    expectClose(await score('random-logit', {}), perImage.RandomLogit_K5.flat());
    const dataset = await score('random-logit', { normaliseScope: 'dataset' });
    expect(dataset[1].value).toBeCloseTo(-0.250079, 5); // spec 2.0, point 4
  });
});

function detailOf(
  score: Score,
): { readonly [name: string]: never } & { curve: number[]; area: number; order: number[] } {
  if (score.value === null) throw new Error(score.reason);
  return score.detail as ReturnType<typeof detailOf>; // read by name below
}

function furthest(left: readonly number[], right: readonly number[]): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  return Math.max(...left.map((value, index) => Math.abs(value - right[index])));
}
