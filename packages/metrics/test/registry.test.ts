import { numpyRandom, type Predict, tensor, uniformTensor, zeros } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import {
  type AnyMetric,
  evaluate,
  type MetricName,
  metrics,
  type Score,
  type Subject,
  studyMetrics,
} from '../src/index.ts';
import { linearModel } from './support/linear.ts';

// Every metric of the registry on small random subjects with a linear model: what holds for all of them.
const names = Object.keys(metrics) as MetricName[];
const size = 8;

/** Options that fit 8×8 images and keep the sweeps short. */
const small: { readonly [name in MetricName]?: object } = {
  continuity: { steps: 5 },
  'region-perturbation': { patchSize: 2, regions: 6 },
  selectivity: { patchSize: 2 },
  irof: { patchSize: 2 },
  infidelity: { patchSize: 2 },
  'pixel-flipping': { featuresInStep: 6 },
  'faithfulness-estimate': { featuresInStep: 6 },
  'monotonicity-correlation': { featuresInStep: 12, samples: 3 },
  'sensitivity-n': { featuresInStep: 12 },
  'faithfulness-correlation': { runs: 8, subsetSize: 9 },
  insertion: { pixelsInStep: 7 },
  deletion: { pixelsInStep: 7 },
  'non-sensitivity': { featuresInStep: 5 },
  'max-sensitivity': { samples: 3 },
  'average-sensitivity': { samples: 3 },
  'local-lipschitz-estimate': { samples: 3 },
  'relative-input-stability': { samples: 3 },
  'top-k-intersection': { k: 9 },
};

/** Metrics whose score depends on the map's scale, by their definition. */
const scaled = ['infidelity', 'effective-complexity', 'completeness', 'average-drop', 'increase-in-confidence', 'adcc'];

function subjects(more: Partial<Subject> = {}): Subject[] {
  const random = numpyRandom(5);
  const model = linearModel(uniformTensor(random, [4, 3 * size * size], -0.3, 0.3));
  const mask = zeros(size, size);
  for (let row = 0; row < 4; row++) mask.data.fill(1, row * size, row * size + 4); // a quadrant: focus needs one
  const companions: Subject[] = [];
  for (let index = 0; index < 3; index++) {
    companions.push({
      image: uniformTensor(random, [3, size, size], -2, 2),
      target: index,
      map: uniformTensor(random, [size, size], 0, 1),
      mask,
      ...model,
      randomise: {
        layers: ['fc'],
        explainer: async (_, seed) => async () => uniformTensor(numpyRandom(seed), [size, size], 0, 1),
      },
      companions,
      ...more,
    });
  }
  return companions;
}

function score(name: MetricName, subject: Subject): Promise<Score> {
  const metric: AnyMetric = metrics[name];
  return metric.score({ ...subject, random: numpyRandom(9) }, small[name]);
}

describe.each(names)('%s', (name) => {
  const metric: AnyMetric = metrics[name];

  test('says what it is, and its defaults pass its own checks on a photograph', () => {
    expect(metric.name).toBe(name);
    expect(metric.title).toMatch(/^[A-Z]/);
    expect(metric.source).toMatch(/\d{4}/);
    expect(['higher', 'lower']).toContain(metric.better);
    expect(() => metric.check(metric.defaults, [3, 224, 224])).not.toThrow();
  });

  test('gives a finite score, the same for the same draws, in batches of any size', async () => {
    const [subject] = subjects();
    const found = await score(name, subject);
    expect(found, 'reason' in found ? found.reason : '').toEqual({ ...found, value: expect.any(Number) });
    expect(await score(name, subjects()[0])).toEqual(found);
    for (const batchSize of [1, 5]) expect(await score(name, { ...subjects()[0], batchSize })).toEqual(found);
  });

  test('costs no more than it says', async () => {
    for await (const row of evaluate({
      subjects: subjects(),
      measurements: [{ metric, options: small[name] }],
      seed: 9,
    })) {
      if (row.subject > 0) continue;
      const cost = metric.cost({ ...metric.defaults, ...small[name] }, [3, size, size]);
      const own = cost.forwards + Object.values(cost.shared).reduce((sum, count) => sum + count, 0);
      const images = metric.needs.includes('companions') || name === 'sensitivity-n' ? 3 : 1;
      expect(row.forwards).toBeLessThanOrEqual(images * own);
      expect(row.explanations).toBeLessThanOrEqual(images * cost.explanations);
      // groups of features below ε and of the others may both end short, or not
      const slack = name === 'non-sensitivity' ? 1 : 0;
      if (row.value !== null && images === 1) expect(row.forwards).toBeGreaterThanOrEqual(own - slack);
    }
  });

  test('has no score for a map of zeros, and says why', async () => {
    const found = await score(name, { ...subjects()[0], map: zeros(size, size) });
    if (found.value === null) expect(found.reason).toMatch(/\w/);
    else expect(Number.isFinite(found.value)).toBe(true);
  });

  test('leaves image and map as they were', async () => {
    const [subject] = subjects();
    const before = structuredClone([subject.image, subject.map]);
    await score(name, subject);
    expect([subject.image, subject.map]).toEqual(before);
  });
});

test.each(names.filter((name) => !scaled.includes(name)))(
  '%s does not change when every map is scaled',
  async (name) => {
    const plain = await score(name, subjects()[0]);
    const randomise: Subject['randomise'] = {
      layers: ['fc'],
      explainer: async (_, seed) => async () => double(uniformTensor(numpyRandom(seed), [size, size], 0, 1)),
    };
    const twice: Subject[] = [];
    for (const own of subjects()) {
      const explain: Subject['explain'] = async (image, target) => double(await own.explain(image, target));
      twice.push({ ...own, map: double(own.map), explain, randomise, companions: twice });
    }
    const [subject] = twice;
    expect((await score(name, subject)).value).toBeCloseTo(plain.value ?? Number.NaN, 5);
  },
);

const needy = names.flatMap((name) =>
  metrics[name].needs.flatMap((need) => (need === 'predict' || need === 'explain' ? [] : [[name, need] as const])),
);

test.each(needy)('%s answers null to a subject without %s', async (name, need) => {
  const found = await score(name, { ...subjects()[0], [need]: undefined });
  expect(found).toEqual({ value: null, reason: expect.stringContaining(`${name} needs`) });
});

test('the five metrics of the study stand in the registry', () => {
  for (const name of studyMetrics) expect(metrics[name].name).toBe(name);
});

describe('a model that ignores its input', () => {
  const predict: Predict = async (batch) =>
    tensor(
      Float32Array.from({ length: 4 * batch.shape[0] }, (_, index) => [0.5, 1, 2, 0][index % 4]),
      [batch.shape[0], 4],
    );

  test.each(['region-perturbation', 'infidelity', 'road', 'average-drop'] as const)(
    'loses nothing: %s is 0',
    async (name) => {
      const map = name === 'infidelity' ? { ...zeros(size, size) } : subjects()[0].map;
      if (name === 'infidelity') map.data[0] = 1e-30; // a map that is as good as nothing, and not constant
      const found = await score(name, { ...subjects({ predict })[0], map });
      expect(found.value).toBeCloseTo(0, 12);
    },
  );

  test('has no correlation to measure', async () => {
    for (const name of ['faithfulness-correlation', 'faithfulness-estimate', 'monotonicity-correlation'] as const) {
      expect((await score(name, subjects({ predict })[0])).value).toBeNull();
    }
  });

  test('makes every feature insensitive, so that those with relevance count', async () => {
    const [subject] = subjects({ predict });
    const relevant = subject.map.data.filter((value) => value >= 1e-5).length;
    expect((await metrics['non-sensitivity'].score(subject)).value).toBe(3 * relevant);
  });
});

function double(map: Subject['map']): Subject['map'] {
  return { ...map, data: map.data.map((value) => 2 * value) };
}
