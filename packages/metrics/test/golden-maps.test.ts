import { numpyRandom, tensor, zeros } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import type { GoldenCheck } from '../../gpu-kernels/test/support/golden.ts';
import { averageSensitivity } from '../src/average-sensitivity.ts';
import { complexity } from '../src/complexity.ts';
import { effectiveComplexity } from '../src/effective-complexity.ts';
import { focus } from '../src/focus.ts';
import { localLipschitzEstimate } from '../src/local-lipschitz-estimate.ts';
import { localisationAuc } from '../src/localisation-auc.ts';
import { maxSensitivity } from '../src/max-sensitivity.ts';
import { pointingGame } from '../src/pointing-game.ts';
import { relevanceMassAccuracy } from '../src/relevance-mass-accuracy.ts';
import { relevanceRankAccuracy } from '../src/relevance-rank-accuracy.ts';
import { sparseness } from '../src/sparseness.ts';
import { topKIntersection } from '../src/top-k-intersection.ts';
import type { AnyMetric, Score, Subject } from '../src/types.ts';
import { golden, realMap, realMask, rectangle, replay, tiny, tinySubjects, toyMaps } from './support/golden-maps.ts';

// Metrics that look at maps, masks and noise; scores of Quantus.
const mapMetrics: { readonly [peer: string]: AnyMetric } = {
  Complexity: complexity,
  Sparseness: sparseness,
  PointingGame: pointingGame,
  RelevanceMassAccuracy: relevanceMassAccuracy,
  RelevanceRankAccuracy: relevanceRankAccuracy,
};

interface Recorded {
  readonly scores: readonly (number | boolean | string)[];
}

interface Case {
  readonly name: string;
  readonly metric: AnyMetric;
  readonly subjects: readonly Pick<Subject, 'map' | 'mask'>[];
  readonly scores: readonly number[];
}

const cases = golden.values.flatMap(({ name, value }): Case[] => {
  const parts = name.split('/');
  const toy = parts[0].startsWith('toy');
  const metric = mapMetrics[toy ? parts[1] : parts[3]];
  if (!metric || !parts.at(-1)?.includes('default')) return [];
  const scores = (value as Recorded).scores.map(Number); // a record of one of these metrics
  const subjects = toy ? toySubjects(parts[0], parts[2]) : realSubjects(parts);
  if (subjects.length < scores.length) return []; // the set leaves the maps out
  return [{ name, metric, subjects: subjects.slice(0, scores.length), scores }];
});

describe('maps of the golden set', () => {
  test.each(cases.map((record) => [record.name, record] as const))('%s', async (name, { metric, subjects, scores }) => {
    const tolerance = name.startsWith('toy') ? 1e-5 : 1e-4;
    for (const [index, subject] of subjects.entries()) {
      const value = numberOf(await metric.score(whole(subject)));
      if (metric === relevanceRankAccuracy && isTied(subject)) {
        // the peer's sort is unstable: its score is that of some order of the equal pixels
        for (const score of [value, scores[index]]) expect(attainable(subject)).toContain(score);
      } else {
        const allowed = tolerance * Math.max(1, Math.abs(scores[index]) * cancellation(subject.map));
        expect(Math.abs(value - scores[index])).toBeLessThanOrEqual(allowed);
      }
    }
  });

  const checks = golden.values.filter(({ name }) => name.endsWith('/map_check'));
  test.each(checks.map(({ name, value }) => [name, value as GoldenCheck] as const))('%s', (name, check) => {
    const [image, method, layer] = name.split('/');
    const map = realMap(image, method, layer);
    if (!map) return expect(golden.array(`${image}/${method}/${layer}/map`)).toBeUndefined(); // left out
    const at = check.strided16.map((_, k) => map.data[Math.floor((k * map.data.length) / 16)]);
    expect(at).toEqual(check.strided16.map((value) => expect.closeTo(value, 5)));
  });

  test('there are some of every metric, on toys and, but for those that the set leaves out, on real maps', () => {
    const found = (toy: boolean) =>
      new Set(cases.filter(({ name }) => name.startsWith('toy') === toy).map(({ metric }) => metric.name));
    expect([...found(true)].sort()).toEqual(
      Object.values(mapMetrics)
        .map(({ name }) => name)
        .sort(),
    );
    expect([...found(false)]).toContain('complexity');
  });

  const empty = golden.values.filter(({ name }) => name.endsWith('/empty_mask'));
  test.each(empty.map(({ name }) => name))('%s has no score here', async (name) => {
    const [toy, , peer] = name.split('/');
    const [map] = toyMaps(`${toy}/a`) ?? [];
    const score = await mapMetrics[peer].score(whole({ map, mask: zeros(...map.shape) }));
    expect(score).toEqual({ value: null, reason: 'The mask is empty: there is no object to find.' });
  });
});

describe('the hand-sized case', () => {
  const subjects = tinySubjects();
  const single: readonly (readonly [string, AnyMetric, object])[] = [
    ['Sparseness', sparseness, {}],
    ['EffectiveComplexity', effectiveComplexity, {}],
    ['RelevanceMassAccuracy', relevanceMassAccuracy, {}],
    ['AttributionLocalisation', relevanceMassAccuracy, { absolute: true }],
    ['RelevanceRankAccuracy', relevanceRankAccuracy, {}],
    ['AUC', localisationAuc, {}],
    ['PointingGame', pointingGame, {}],
    ['TopKIntersection_k5', topKIntersection, { k: 5 }],
  ];

  test.each(single)('%s', async (name, metric, options) => {
    for (const [index, subject] of subjects.entries()) {
      expect(numberOf(await metric.score(subject, options))).toBeCloseTo(tiny.batch[name][index], 6);
    }
  });

  test.each([
    ['MaxSensitivity_n5_seed0', maxSensitivity],
    ['AvgSensitivity_n5_seed0', averageSensitivity],
  ] as const)('%s, with the draws of a batch of two', async (name, metric) => {
    const random = numpyRandom(0);
    const draws = drawsOfBatch(() => random.uniformBetween(-0.2, 0.2), 5);
    for (const [index, subject] of subjects.entries()) {
      const score = await metric.score({ ...subject, random: replay(draws[index]), batchSize: 2 }, { samples: 5 });
      expect(numberOf(score)).toBeCloseTo(tiny.batch[name][index], 6);
    }
  });

  test('LocalLipschitzEstimate_n5_seed0, maps scaled over the batch of two', async () => {
    const random = numpyRandom(0);
    const draws = drawsOfBatch(() => random.normal(), 5);
    for (const [index, subject] of subjects.entries()) {
      let sample = 0;
      const scaled: Subject = {
        ...subject,
        random: replay(draws[index]),
        map: await overBatch(subject.map, () => 0),
        explain: async (image, target) => {
          const offset = sample++ * subject.image.data.length;
          return overBatch(await subject.explain(image, target), (other, at) => 0.1 * draws[other][offset + at]);
        },
      };
      const score = await localLipschitzEstimate.score(scaled, { samples: 5, normalise: 'none' });
      expect(numberOf(score)).toBeCloseTo(tiny.batch.LocalLipschitzEstimate_n5_seed0[index], 6);
    }
  });

  test('Focus, with the target in the upper and in the right half of the mosaic', async () => {
    const halves = [
      rectangle(4, 6, { top: 0, bottom: 1, left: 0, right: 5 }),
      rectangle(4, 6, { top: 0, bottom: 3, left: 3, right: 5 }),
    ];
    for (const [index, subject] of subjects.entries()) {
      expect(numberOf(await focus.score({ ...subject, mask: halves[index] }))).toBeCloseTo(tiny.batch.Focus[index], 6);
    }
  });

  /** For each image the noise that Quantus adds to it: all images of a sample are drawn before the next sample. */
  function drawsOfBatch(draw: () => number, samples: number): number[][] {
    const draws: number[][] = subjects.map(() => []);
    for (let sample = 0; sample < samples; sample++) {
      for (const [index, { image }] of subjects.entries()) for (const _ of image.data) draws[index].push(draw());
    }
    return draws;
  }

  /** A map over the largest magnitude of the maps of all images, each with its noise. */
  async function overBatch(
    map: Subject['map'],
    noise: (subject: number, at: number) => number,
  ): Promise<Subject['map']> {
    let largest = 0;
    for (const [index, { image, explain, target }] of subjects.entries()) {
      const noisy = tensor(
        image.data.map((value, at) => value + noise(index, at)),
        image.shape,
      );
      for (const value of (await explain(noisy, target)).data) largest = Math.max(largest, value);
    }
    return tensor(
      map.data.map((value) => value / largest),
      map.shape,
    );
  }
});

/** How many times larger the error of a sum of float32 is for the signs in it. */
function cancellation({ data }: Subject['map']): number {
  const size = data.reduce((sum, value) => sum + Math.abs(value), 0);
  return Math.min(1000, size / Math.abs(data.reduce((sum, value) => sum + value, 0)));
}

/** Whether the least relevant of the chosen pixels has equals that are not chosen. */
function isTied(subject: Pick<Subject, 'map' | 'mask'>): boolean {
  return attainable(subject).length > 1;
}

/** Rank accuracies that some order of equally relevant pixels gives. */
function attainable({ map, mask }: Pick<Subject, 'map' | 'mask'>): number[] {
  const inside = mask?.data ?? new Float32Array();
  const size = inside.reduce((sum, value) => sum + value, 0);
  const last = map.data.toSorted((a, b) => b - a)[size - 1];
  const count = (keep: (value: number, inside: number) => boolean) =>
    map.data.reduce((sum, value, pixel) => sum + Number(keep(value, inside[pixel])), 0);
  const room = size - count((value) => value > last);
  const sure = count((value, within) => value > last && within === 1);
  const most = Math.min(
    room,
    count((value, within) => value === last && within === 1),
  );
  const least = Math.max(0, room - count((value, within) => value === last && within === 0));
  return Array.from({ length: most - least + 1 }, (_, index) => (sure + least + index) / size);
}

function toySubjects(toy: string, map: string): Pick<Subject, 'map' | 'mask'>[] {
  const masks = toyMaps(`${toy}/s`) ?? [];
  return (toyMaps(`${toy}/${map}`) ?? []).map((own, index) => ({ map: own, mask: masks[index] }));
}

/** Names are image/method/layer/metric/setting; `batch` stands for all images. */
function realSubjects([image, method, layer]: readonly string[]): Pick<Subject, 'map' | 'mask'>[] {
  return (image === 'batch' ? golden.classes : [image]).flatMap((name) => {
    const map = realMap(name, method, layer);
    return map ? [{ map, mask: realMask() }] : [];
  });
}

/** A subject of which only map and mask matter. */
function whole({ map, mask }: Pick<Subject, 'map' | 'mask'>): Subject {
  const predict = async () => zeros(1, 1);
  return { image: zeros(1, ...map.shape), target: 0, map, mask, predict, explain: async () => map };
}

function numberOf(score: Score): number {
  expect(score).not.toHaveProperty('reason');
  return score.value ?? Number.NaN;
}
