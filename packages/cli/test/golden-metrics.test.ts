import { argmax, type Classifier, explain, methods, ortClassifier, probeImage } from '@cambium/cam';
import { numpyRandom, type Tensor, tensor } from '@cambium/gpu-kernels';
import { type AnyMetric, metrics, type Score, type Subject, sweepCache } from '@cambium/metrics';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { embeddedModel } from '../../cam/test/support/embedded-model.ts';
import { goldenImage } from '../../cam/test/support/golden-image.ts';
import { goldenSet } from '../../gpu-kernels/test/support/golden.ts';
import { finishedAsPeer, golden, realMap } from '../../metrics/test/support/golden-maps.ts';
import { optionsFrom } from '../../metrics/test/support/peer-options.ts';

// The study's metrics on maps of the embedded network, held to what Quantus computed, on every image of the set. The maps
// scored are the peers' own; where a metric explains anew, the map is made here and finished as the peer finishes it.
// Such maps differ from the peers' by 2·10⁻⁶, and in Grad-CAM at layer2, where the gradients of a channel nearly cancel, by
// up to 2·10⁻⁴ at a pixel and 10⁻⁵ on average. Continuity adds those differences over the pixels and divides them by the
// distance of the images, random logit averages them in windows: 10⁻⁵ of their scores, so 10⁻⁴ holds for them, too.
// (Scores that need a map alone, such as complexity, are tested in the package metrics.)
const tolerance = 1e-4;
const inputs = goldenSet('inputs');
const peers: { readonly [peer: string]: keyof typeof methods } = {
  GradCAM: 'grad-cam',
  GradCAMPlusPlus: 'grad-cam++',
  RelevanceCAM: 'relevance-cam',
};

interface Recorded {
  readonly scores?: readonly (number | readonly number[])[];
  readonly raises?: string;
  readonly patch_order?: readonly (readonly number[])[];
  readonly explained_targets?: readonly (readonly number[])[];
  readonly pixels?: { readonly within_10_percent_of_eps: readonly number[] };
}

interface Case {
  /** One, or all of the set for a batch. */
  readonly images: readonly string[];
  readonly peer: string;
  readonly layer: string;
  readonly metric: string;
  readonly options: object;
  readonly recorded: Recorded;
}

let classifier: Classifier;
const subjects = new Map<string, Promise<Subject>>();
const images = new Map<string, Promise<Pick<Subject, 'image' | 'target' | 'sweeps'>>>();

beforeAll(async () => {
  classifier = ortClassifier(await embeddedModel());
});
afterAll(() => classifier.close());

const cases = golden.values.flatMap(({ name, value, params }): [string, Case][] => {
  const [image, peer, layer, metric] = name.split('/');
  if (!(peer in peers) || !['Continuity', 'RandomLogit', 'RegionPerturbation', 'NonSensitivity'].includes(metric))
    return [];
  const metricParams = (params.metric_params ?? {}) as { readonly [name: string]: unknown }; // as the golden README says
  const shown = image === 'batch' ? golden.classes : [image];
  return [
    [name, { images: shown, peer, layer, metric, options: optionsFrom(metricParams), recorded: value as Recorded }],
  ];
});

function of(metric: string): [string, Case][] {
  return cases.filter(([, record]) => record.metric === metric);
}

describe('Continuity', () => {
  test.each(of('Continuity'))('%s', async (_, record) => {
    const [score] = await scoresOf(metrics.continuity, record);
    if (record.recorded.raises) {
      // a blank image has a map of zeros, at which the peer stops and we do not
      expect(Number.isFinite(numberOf(score))).toBe(true);
      return;
    }
    const expected = Number(record.recorded.scores?.[0]);
    expect(Math.abs(numberOf(score) - expected)).toBeLessThanOrEqual(tolerance * expected); // relative: up to 62
  });
});

describe('RandomLogit', () => {
  test.each(of('RandomLogit'))('%s', async (_, record) => {
    const scope = record.images.length > 1 ? 'batch' : 'image';
    const scores = await scoresOf(metrics['random-logit'], record, () => ({ normaliseScope: scope }));
    for (const [index, score] of scores.entries()) {
      const expected = Number(record.recorded.scores?.[index]);
      expect(Math.abs(numberOf(score) - expected)).toBeLessThanOrEqual(tolerance);
      expect(score.value !== null && score.detail?.otherClass).toBe(record.recorded.explained_targets?.[0][index]);
    }
  });
});

describe('RegionPerturbation', () => {
  test.each(of('RegionPerturbation'))('%s', async (_, record) => {
    const { recorded, options } = record;
    const drawn = 'order' in options && options.order === 'random';
    // ties fall otherwise where they were sorted
    const order = (index: number) => recorded.patch_order?.map((regions) => regions[index]);
    const scores = await scoresOf(metrics['region-perturbation'], record, (index) =>
      drawn ? {} : { order: order(index) },
    );
    for (const [index, score] of scores.entries()) {
      const curve = score.value === null ? [] : (score.detail?.curve as number[]); // the metric has one
      const expected = recorded.scores?.[index] as number[]; // a curve for each image
      expect(curve.length).toBe(expected.length);
      for (const [step, loss] of curve.entries())
        expect(Math.abs(loss - expected[step])).toBeLessThanOrEqual(tolerance);
      if (drawn) expect(score.value === null ? [] : score.detail?.order).toEqual(order(index));
    }
  });
});

describe('NonSensitivity', () => {
  test.each(of('NonSensitivity'))('%s', async (_, record) => {
    const near = record.recorded.pixels?.within_10_percent_of_eps[0] ?? 0;
    const [score] = await scoresOf(metrics['non-sensitivity'], record);
    expect(Math.abs(numberOf(score) - Number(record.recorded.scores?.[0]))).toBeLessThanOrEqual(near);
  });
});

/** The score of each image of a case, scored together. */
async function scoresOf(
  metric: AnyMetric,
  record: Case,
  more: (image: number) => object = () => ({}),
): Promise<Score[]> {
  const companions = await Promise.all(record.images.map((image) => subjectOf(image, record)));
  const scores: Score[] = [];
  for (const [index, subject] of companions.entries()) {
    const random = numpyRandom(golden.seed);
    scores.push(await metric.score({ ...subject, companions, random }, { ...record.options, ...more(index) }));
  }
  return scores;
}

function subjectOf(image: string, { peer, layer }: Case): Promise<Subject> {
  const key = `${image}/${peer}/${layer}`;
  const found = subjects.get(key) ?? explained(image, peer, layer);
  subjects.set(key, found);
  return found;
}

async function explained(name: string, peer: string, layer: string): Promise<Subject> {
  const shown = images.get(name) ?? imageOf(name);
  images.set(name, shown);
  const { image, target, sweeps } = await shown;
  const explainer = async (any: Tensor, wanted: number): Promise<Tensor> => {
    const seen = await probeImage(classifier, tensor(any.data, [1, ...any.shape]), { layers: [layer] });
    const { coarse } = await explain<object>(await seen.at(layer, wanted), methods[peers[peer]]);
    return finishedAsPeer(peer, coarse);
  };
  return {
    image,
    target,
    map: realMap(name, peer, layer) ?? (await explainer(image, target)), // ours where the set leaves it out
    predict: (batch) => classifier.predict(batch),
    explain: explainer,
    classifier,
    batchSize: 16,
    sweeps,
  };
}

async function imageOf(name: string): Promise<Pick<Subject, 'image' | 'target' | 'sweeps'>> {
  const batch = await goldenImage(inputs, name);
  const { data } = await classifier.predict(batch);
  return { image: tensor(batch.data, batch.shape.slice(1)), target: argmax(data), sweeps: sweepCache() };
}

function numberOf(score: Score): number {
  if (score.value === null) throw new Error(score.reason);
  return score.value;
}
