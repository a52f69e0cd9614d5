import { numpyRandom, type Predict, tensor, uniformTensor, zeros } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { defineMetric, evaluate, metrics, type Row, type Subject } from '../src/index.ts';
import { linearModel } from './support/linear.ts';

const random = numpyRandom(3);
const model = linearModel(uniformTensor(random, [3, 3 * 36], -0.4, 0.4));

function subjectOf(more: Partial<Subject> = {}): Subject {
  return {
    image: uniformTensor(numpyRandom(4), [3, 6, 6], -2, 2),
    target: 1,
    map: uniformTensor(numpyRandom(8), [6, 6], 0, 1),
    ...model,
    ...more,
  };
}

async function rowsOf(request: Parameters<typeof evaluate>[0]): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of evaluate(request)) rows.push(row);
  return rows;
}

const failing = defineMetric<object>({
  name: 'failing',
  title: 'Failing',
  category: 'complexity',
  better: 'lower',
  source: 'none, 2026',
  defaults: {},
  needs: [],
  check() {},
  cost: () => ({ forwards: 0, explanations: 0, shared: {} }),
  measure: () => Promise.reject(new Error('the lamp went out')),
});

test('yields a row for each subject and metric, with options, counts, time and seed', async () => {
  let time = 0;
  const rows = await rowsOf({
    subjects: [subjectOf()],
    measurements: [{ metric: metrics['region-perturbation'], options: { patchSize: 2, regions: 4 } }],
    seed: 6,
    clock: () => (time += 500),
  });
  expect(rows).toEqual([
    {
      subject: 0,
      metric: 'region-perturbation',
      options: { ...metrics['region-perturbation'].defaults, patchSize: 2, regions: 4 },
      value: expect.any(Number),
      detail: expect.objectContaining({ order: expect.any(Array) }),
      forwards: 5,
      explanations: 0,
      seconds: 0.5,
      seed: 6,
    },
  ]);
});

test('a metric that fails, and one that cannot score, lose their own rows alone', async () => {
  const rows = await rowsOf({
    subjects: [subjectOf({ map: zeros(6, 6) }), subjectOf()],
    measurements: [{ metric: failing }, { metric: metrics.complexity }, { metric: metrics['pointing-game'] }],
  });
  expect(rows.map(({ subject, metric, value }) => [subject, metric, value === null])).toEqual([
    [0, 'failing', true],
    [0, 'complexity', true],
    [0, 'pointing-game', true],
    [1, 'failing', true],
    [1, 'complexity', false],
    [1, 'pointing-game', true],
  ]);
  expect(rows.map((row) => (row.value === null ? row.reason : ''))).toEqual([
    expect.stringContaining('the map is zero everywhere'),
    'complexity has no score here: the map is zero everywhere.',
    'pointing-game needs a mask of the object; the subject has none.',
    'failing failed: the lamp went out',
    '',
    'pointing-game needs a mask of the object; the subject has none.',
  ]);
});

test('maps of one image share the sweep over single features, and the logits of the image', async () => {
  const { image } = subjectOf();
  const other = uniformTensor(numpyRandom(1), [6, 6], 0, 1);
  const rows = await rowsOf({
    subjects: [subjectOf({ image }), subjectOf({ image, map: other })],
    measurements: [{ metric: metrics['non-sensitivity'] }],
  });
  expect(rows.map(({ forwards }) => forwards)).toEqual([1 + 108, 0]);
  const [alone] = await rowsOf({
    subjects: [subjectOf({ map: other })],
    measurements: [{ metric: metrics['non-sensitivity'] }],
  });
  expect(rows[1].value).toBe(alone.value);
});

test('the same seed gives the same bytes, whatever else is scored and in which order', async () => {
  const measurements = [
    { metric: metrics['faithfulness-correlation'], options: { runs: 6, subsetSize: 5 } },
    { metric: metrics['region-perturbation'], options: { patchSize: 2, order: 'random', baseline: 'uniform' } },
    { metric: metrics.road },
  ];
  const bytes = async (order: typeof measurements, seed: number) =>
    (await rowsOf({ subjects: [subjectOf(), subjectOf({ target: 2 })], measurements: order, seed }))
      .map(({ seconds, forwards, seed, ...row }) => JSON.stringify(row)) // time is no score, and the first pays for the logits
      .sort();
  expect(await bytes([...measurements].reverse(), 7)).toEqual(await bytes(measurements, 7));
  expect(await bytes(measurements, 8)).not.toEqual(await bytes(measurements, 7));
});

test('the order of the images does not matter', async () => {
  const images = [subjectOf(), subjectOf({ target: 2 }), subjectOf({ target: 0 })];
  const measurements = [{ metric: metrics.continuity, options: { steps: 5 } }, { metric: metrics.sufficiency }];
  const values = (rows: Row[]) => rows.map(({ metric, value }) => `${metric} ${value}`).sort();
  const forward = await rowsOf({ subjects: images, measurements });
  expect(values(await rowsOf({ subjects: [...images].reverse(), measurements }))).toEqual(values(forward));
});

describe('before any forward pass', () => {
  const never: Predict = () => Promise.reject(new Error('a forward pass was made'));

  test.each([
    ['patchSize', { metric: metrics['region-perturbation'], options: { patchSize: 7 } }, 'in [1, 6], got 7'],
    ['regions', { metric: metrics['region-perturbation'], options: { patchSize: 2, regions: 0 } }, 'from 1, got 0'],
    ['order', { metric: metrics['region-perturbation'], options: { patchSize: 2, order: [0, 0] } }, 'got 0,0'],
    ['baseline', { metric: metrics.irof, options: { patchSize: 2, baseline: 'grey' } }, 'got grey'],
    ['steps', { metric: metrics.continuity, options: { steps: 0 } }, 'from 1, got 0'],
    ['normalise', { metric: metrics.complexity, options: { normalise: 'sum' } }, 'got sum'],
    [
      'featuresInStep',
      { metric: metrics['non-sensitivity'], options: { featuresInStep: 109 } },
      'in [1, 108], got 109',
    ],
    ['epsilon', { metric: metrics['non-sensitivity'], options: { epsilon: -1 } }, 'from 0, got -1'],
    ['subsetSize', { metric: metrics['faithfulness-correlation'], options: { subsetSize: 109 } }, 'got 109'],
    ['classes', { metric: metrics['random-logit'], options: { classes: 1 } }, 'from 2, got 1'],
    ['pixelsInStep', { metric: metrics.insertion, options: { pixelsInStep: 0.5 } }, 'got 0.5'],
    ['percentiles', { metric: metrics.road, options: { percentiles: [101] } }, 'in [0, 100], got 101'],
    ['largestShare', { metric: metrics['sensitivity-n'], options: { largestShare: 1.5 } }, 'got 1.5'],
    ['threshold', { metric: metrics.sufficiency, options: { threshold: 2 } }, 'in [0, 1], got 2'],
    ['colour', { metric: metrics.deletion, options: { colour: 1 } }, 'pixelsInStep'],
  ])('the option %s is refused by name, value and range', async (option, measurement, range) => {
    const work = rowsOf({ subjects: [subjectOf({ predict: never })], measurements: [measurement] });
    await expect(work).rejects.toThrow(option);
    await expect(rowsOf({ subjects: [subjectOf({ predict: never })], measurements: [measurement] })).rejects.toThrow(
      range,
    );
  });

  test.each([
    ['a map with NaN', { map: tensor([...Array(35).fill(0.5), Number.NaN], [6, 6]) }, 'got NaN at index 35'],
    ['a map of another size', { map: zeros(7, 6) }, 'a map of 6×6, as the image, got [7, 6]'],
    ['a mask of another size', { mask: zeros(6, 7) }, 'a mask of 6×6, as the image, got [6, 7]'],
    ['a mask of other numbers', { mask: tensor(Array(36).fill(0.5), [6, 6]) }, 'zeros and ones'],
    ['a target that is no index', { target: 0.5 }, 'a class index from 0, got 0.5'],
  ])('%s is refused', async (_, more, message) => {
    const subjects = [subjectOf({ predict: never }), subjectOf({ predict: never, ...more })];
    await expect(rowsOf({ subjects, measurements: [{ metric: metrics.complexity }] })).rejects.toThrow(message);
  });
});

test('a target that the model does not have is a reason that names both', async () => {
  const [row] = await rowsOf({ subjects: [subjectOf({ target: 3 })], measurements: [{ metric: metrics.insertion }] });
  expect(row).toMatchObject({
    value: null,
    reason: expect.stringContaining('target 3 is no class: predict returns 3'),
  });
});

test('an aborted signal ends the evaluation with its reason', async () => {
  const abort = new AbortController();
  const predict: Predict = (batch) => {
    abort.abort(new Error('enough'));
    return model.predict(batch);
  };
  const measurements = [{ metric: metrics.insertion, options: { pixelsInStep: 1 } }];
  const subjects = [subjectOf({ predict, batchSize: 4 })];
  await expect(rowsOf({ subjects, measurements, signal: abort.signal })).rejects.toThrow('enough');
});
