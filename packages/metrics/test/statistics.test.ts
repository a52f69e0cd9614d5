import { numpyRandom, tensor } from '@cambium/gpu-kernels';
import { mean, median } from 'simple-statistics';
import { describe, expect, test } from 'vitest';
import {
  agreement,
  averageRanks,
  bootstrapInterval,
  mapDifference,
  rank,
  rankChanges,
  spearman,
  summarise,
} from '../src/statistics/index.ts';
import { numbered, scipy } from './support/scipy.ts';

describe('summarise', () => {
  test.each(numbered(scipy.summaries))('agrees with NumPy, sample %i', (_, { values, ...expected }) => {
    const ours = summarise(values);
    expect(ours).not.toBeNull();
    for (const [name, value] of Object.entries(expected)) {
      expect(ours, name).toHaveProperty(name, expect.closeTo(Number(value), 12));
    }
  });

  test('leaves nulls out and counts them', () => {
    expect(summarise([3, null, 1])).toEqual({
      count: 2,
      missing: 1,
      mean: 2,
      median: 2,
      standardDeviation: Math.SQRT2,
      minimum: 1,
      lowerQuartile: 1.5,
      upperQuartile: 2.5,
      maximum: 3,
    });
  });

  test('a single score has no spread, and no scores have no summary', () => {
    expect(summarise([4])?.standardDeviation).toBeNull();
    expect(summarise([null])).toBeNull();
  });

  test('NaN is refused where it enters', () => {
    expect(() => summarise([1, Number.NaN])).toThrow(
      'summarise expected finite numbers or null, got NaN at index 1; give null for a missing score.',
    );
  });
});

describe('bootstrapInterval', () => {
  test.each(numbered(scipy.bootstraps))(
    'equals SciPy’s percentile bootstrap of the same draws, case %i',
    (_, record) => {
      const interval = bootstrapInterval(record.values, {
        statistic: record.statistic === 'mean' ? mean : median,
        resamples: record.resamples,
        level: record.level,
        random: numpyRandom(record.seed),
      });
      expect(interval?.low).toBeCloseTo(record.low, 12);
      expect(interval?.high).toBeCloseTo(record.high, 12);
    },
  );

  test('the same seed gives the same bounds, equal scores give no width, no scores no interval', () => {
    const twice = [1, 2].map(() => bootstrapInterval([1, 5, null, 2, 8], { resamples: 99, random: numpyRandom(3) }));
    expect(twice[0]).toEqual(twice[1]);
    expect(bootstrapInterval([2, 2, 2], { resamples: 9, random: numpyRandom(3) })).toEqual({ low: 2, high: 2 });
    expect(bootstrapInterval([null], { random: numpyRandom(3) })).toBeNull();
  });

  test('a level of one and no resamples are refused', () => {
    expect(() => bootstrapInterval([1], { level: 1, random: numpyRandom(0) })).toThrow(
      'bootstrapInterval expected level strictly between 0 and 1, got 1.',
    );
    expect(() => bootstrapInterval([1], { resamples: 0, random: numpyRandom(0) })).toThrow('resamples');
  });
});

describe('ranks', () => {
  test('ties share the mean of their positions', () => {
    expect(rank([3, 1, 3, 7], 'higher')).toEqual([2.5, 4, 2.5, 1]);
    expect(rank([3, 1, 3, 7], 'lower')).toEqual([2.5, 1, 2.5, 4]);
    expect(rank([5, 5, 5], 'higher')).toEqual([2, 2, 2]);
  });

  test('null takes no position', () => {
    expect(rank([null, 2, 1], 'higher')).toEqual([null, 1, 2]);
  });

  test('the mean rank runs over the images where there is a score', () => {
    const table = [
      [1, 2, null],
      [1, 2, 3],
    ];
    expect(averageRanks(table, 'lower')).toEqual([1, 2, 3]);
    expect(averageRanks([[null], [null]], 'lower')).toEqual([null]);
  });
});

describe('agreement', () => {
  test.each(numbered(scipy.spearmans))('agrees with SciPy, case %i', (_, { a, b, value }) => {
    expect(spearman(a, b)).toBeCloseTo(value, 12);
  });

  test('a constant series agrees with nothing, missing values are left out in pairs', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(spearman([1, null, 2, 3], [5, 0, null, 9])).toBeCloseTo(1, 12);
    expect(
      agreement([
        [1, 2, 3],
        [3, 2, 1],
        [0, 0, 0],
      ]),
    ).toEqual([
      [1, -1, null],
      [-1, 1, null],
      [null, null, null],
    ]);
  });
});

describe('mapDifference', () => {
  const map = tensor([0, 0.25, 0.5, 1], [2, 2]);

  test('is the largest difference of a pixel and the correlation of their order', () => {
    expect(mapDifference(map, map)).toEqual({ largest: 0, spearman: 1 });
    const swapped = mapDifference(map, tensor([0.25, 0, 0.5, 0.625], [2, 2]));
    expect(swapped.largest).toBe(0.375);
    expect(swapped.spearman).toBeCloseTo(0.8, 12); // 1 − 6·(1 + 1)/(4·15)
  });

  test('a constant map has no order', () => {
    expect(mapDifference(map, tensor([0, 0, 0, 0], [2, 2]))).toEqual({ largest: 1, spearman: null });
  });

  test('maps of other shapes and pixels that are no numbers are refused', () => {
    expect(() => mapDifference(map, tensor([0, 0, 0, 0], [4, 1]))).toThrow('expected two maps of 2×2, got 4×1');
    expect(() => mapDifference(map, tensor([0, Number.NaN, 0, 0], [2, 2]))).toThrow(RangeError);
  });
});

describe('rankChanges', () => {
  const before = [
    [0.1, 0.2, 0.3],
    [0.1, 0.3, 0.2],
    [0.1, 0.2, 0.3],
  ];

  test('names the entrants that change places', () => {
    const after = [before[0], before[1], [0.1, 0.4, 0.3]];
    expect(rankChanges(before, after, 'lower')).toEqual({ before: [1, 2, 3], after: [1, 3, 2], moved: [1, 2] });
    expect(rankChanges(before, before, 'higher')).toEqual({ before: [3, 2, 1], after: [3, 2, 1], moved: [] });
  });

  test('an entrant that lost its scores has no place', () => {
    const lost = before.map(([a, b]) => [a, b, null]);
    expect(rankChanges(before, lost, 'lower')).toEqual({ before: [1, 2, 3], after: [1, 2, null], moved: [2] });
  });

  test('tables of other sizes are refused', () => {
    expect(() => rankChanges(before, before.slice(1), 'lower')).toThrow('a second table of 3×3, got 2×3');
  });
});
