import { describe, expect, test } from 'vitest';
import {
  comparePairs,
  criticalDifference,
  friedman,
  holm,
  indistinguishable,
  rank,
  wilcoxonSignedRank,
} from '../src/statistics/index.ts';
import { numbered, scipy } from './support/scipy.ts';

describe('friedman', () => {
  test.each(numbered(scipy.friedmans))('agrees with SciPy, table %i', (_, { table, ...expected }) => {
    const ours = friedman(table, 'lower');
    expect(ours?.statistic).toBeCloseTo(expected.statistic, 10);
    expect(ours?.pValue).toBeCloseTo(expected.pValue, 10);
    expect(ours?.averageRanks).toEqual(expected.averageRanks.map((value) => expect.closeTo(value, 12)));
    expect(friedman(table, 'higher')?.statistic).toBeCloseTo(expected.statistic, 10);
  });

  test('three images that agree on three entrants: χ² = 6, p = exp(−3)', () => {
    const result = friedman(
      [1, 2, 3].map(() => [0.1, 0.2, 0.3]),
      'lower',
    );
    expect(result).toMatchObject({ blocks: 3, degreesOfFreedom: 2, averageRanks: [1, 2, 3] });
    expect(result?.statistic).toBeCloseTo(6, 12);
    expect(result?.pValue).toBeCloseTo(Math.exp(-3), 12); // χ² with two degrees of freedom is exponential
  });

  test('blocks with a missing score are left out, and all-tied blocks say nothing', () => {
    const table = [
      [1, 2, 3],
      [1, null, 3],
      [1, 2, 3],
    ];
    expect(friedman(table, 'lower')?.blocks).toBe(2);
    expect(friedman(table.slice(1), 'lower')).toBeNull();
    expect(
      friedman(
        [
          [1, 1, 1],
          [2, 2, 2],
        ],
        'lower',
      ),
    ).toMatchObject({ statistic: 0, pValue: 1 });
  });

  test('two entrants are too few', () => {
    expect(() => friedman([[1, 2]], 'lower')).toThrow('friedman expected a table of at least 3 entrants, got 2.');
  });
});

describe('criticalDifference', () => {
  // Demšar 2006, table 5(a), α = 0.05, and 5(b), α = 0.10
  test.each([
    [2, 1.96, 1.645],
    [3, 2.343, 2.052],
    [4, 2.569, 2.291],
    [5, 2.728, 2.459],
    [6, 2.85, 2.589],
    [7, 2.949, 2.693],
    [8, 3.031, 2.78],
    [9, 3.102, 2.855],
    [10, 3.164, 2.92],
  ])('of %i entrants follows the published table', (entrants, at05, at10) => {
    const scale = Math.sqrt((entrants * (entrants + 1)) / 60);
    expect(Math.abs(criticalDifference(entrants, 10) / scale - at05)).toBeLessThan(1.1e-3); // rounded to 3 digits
    expect(Math.abs(criticalDifference(entrants, 10, 0.1) / scale - at10)).toBeLessThan(1.1e-3);
  });

  test.each(numbered(scipy.criticals))('agrees with SciPy’s studentised range, case %i', (_, record) => {
    const { entrants, level, quantile } = record;
    const scale = Math.sqrt((entrants * (entrants + 1)) / (6 * 7));
    expect(criticalDifference(entrants, 7, level)).toBeCloseTo((quantile / Math.SQRT2) * scale, 6);
  });

  test('bars join what it does not tell apart', () => {
    expect(indistinguishable([1, 3.5, 1.5, 2], 0.6)).toEqual([
      [0, 2],
      [2, 3],
    ]);
    expect(indistinguishable([1, 3, 2], 5)).toEqual([[0, 2, 1]]);
    expect(indistinguishable([1, 3, 2], 0.5)).toEqual([]);
  });

  test('one entrant is refused', () => {
    expect(() => criticalDifference(1, 10)).toThrow('entrants to be a whole number from 2, got 1');
  });
});

describe('wilcoxonSignedRank', () => {
  test.each(numbered(scipy.wilcoxons))('agrees with SciPy, case %i', (_, record) => {
    const ours = wilcoxonSignedRank(record.a, record.b);
    expect(ours?.method).toBe(record.method === 'asymptotic' ? 'normal' : 'exact');
    expect(ours?.positive).toBeCloseTo(record.positive, 9);
    expect(ours?.pValue).toBeCloseTo(record.pValue, 9);
  });

  test.each([[[1, -2, 3, 4, -5]], [[1, 1, -1, 2, 2, 3]], [[4, 4, -4, -4, 1, 2, -9, 9]]])(
    'counts every pattern of signs: %j',
    (differences) => {
      const result = wilcoxonSignedRank(
        differences,
        differences.map(() => 0),
      );
      expect(result?.pValue).toBeCloseTo(byEnumeration(differences), 12);
    },
  );

  test('five of five in one direction: p = 2/32, effect 1', () => {
    expect(wilcoxonSignedRank([1, 2, 3, 4, 5], [0, 0, 0, 0, 0])).toEqual({
      pairs: 5,
      positive: 15,
      negative: 0,
      pValue: 2 / 32,
      method: 'exact',
      effectSize: 1,
    });
  });

  test('equal and missing pairs are left out', () => {
    expect(wilcoxonSignedRank([1, 2, null, 4], [1, 1, 5, null])?.pairs).toBe(1);
    expect(wilcoxonSignedRank([1, 2], [1, 2])).toBeNull();
    expect(() => wilcoxonSignedRank([1], [])).toThrow('as many scores in b as in a, 1, got 0');
  });
});

describe('holm', () => {
  test('steps down and never falls: worked by hand', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]); // sorted .005·4, .01·3, .03·2, .04·1
    expect(adjusted).toEqual([0.03, 0.06, 0.06, 0.02].map((value) => expect.closeTo(value, 12)));
    expect(holm([0.6, 1, 0])).toEqual([1, 1, 0]);
    expect(() => holm([1.5])).toThrow('holm expected p-values strictly between 0 and 1, got 1.5.');
  });
});

describe('comparePairs', () => {
  test('says who is better, whichever way the metric points', () => {
    const table = [1, 2, 3, 4, 5, 6].map((shift) => [shift, shift + 1, shift + 1]);
    const lower = comparePairs(table, 'lower');
    expect(lower.map(({ first, second }) => [first, second])).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ]);
    expect(lower.map(({ effectSize }) => effectSize)).toEqual([1, 1, 0]);
    expect(comparePairs(table, 'higher').map(({ effectSize }) => effectSize)).toEqual([-1, -1, 0]);
    expect(lower.map(({ pValue }) => pValue)).toEqual([2 / 64, 2 / 64, 1]);
    expect(lower.map(({ adjustedPValue }) => adjustedPValue)).toEqual([6 / 64, 6 / 64, 1]);
    expect(lower[2].pairs).toBe(0);
  });
});

/** Two-sided p of the signed-rank sum over all 2ⁿ signs, by listing them. */
function byEnumeration(differences: readonly number[]): number {
  const ranks = rank(differences.map(Math.abs), 'lower').map(Number);
  const sum = (positive: (index: number) => boolean) =>
    ranks.reduce((total, value, index) => total + (positive(index) ? value : 0), 0);
  const observed = sum((index) => differences[index] > 0);
  const sums = Array.from({ length: 2 ** ranks.length }, (_, signs) => sum((index) => ((signs >> index) & 1) === 1));
  const share = (keep: (value: number) => boolean) => sums.filter(keep).length / sums.length;
  return Math.min(
    1,
    2 *
      Math.min(
        share((value) => value <= observed),
        share((value) => value >= observed),
      ),
  );
}
