import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldGrid } from '../src/gpu/grid.ts';

test('a grid that fits stays as it is', () => {
  expect(foldGrid([65_535, 3, 2], 65_535, 'run')).toEqual([65_535, 3, 2]);
});

test('one that is too long goes into two dimensions with little to spare', () => {
  expect(foldGrid([100_000, 1, 1], 65_535, 'run')).toEqual([50_000, 2, 1]);
  const lengths = fc.record({ limit: fc.integer({ min: 1, max: 300 }), x: fc.integer({ min: 1, max: 90_000 }) });
  fc.assert(
    fc.property(lengths, ({ limit, x }) => {
      fc.pre(x <= limit ** 2);
      const [columns, rows, layers] = foldGrid([x, 1, 1], limit, 'run');
      expect(Math.max(columns, rows)).toBeLessThanOrEqual(limit);
      expect(layers).toBe(1);
      expect(columns * rows - x).toBeGreaterThanOrEqual(0);
      expect(columns * rows - x).toBeLessThan(rows);
    }),
  );
});

test.each([
  [10, 1, 1, 3],
  [4, 2, 1, 3],
  [1, 4, 1, 3],
  [4, 1, 2, 3],
])('%i×%i×%i with a limit of %i is refused with the name of the limit', (x, y, z, limit) => {
  expect(() => foldGrid([x, y, z], limit, 'mask([2, 3])')).toThrow(
    `mask([2, 3]) needs a grid of ${x}×${y}×${z} workgroups, but maxComputeWorkgroupsPerDimension is ${limit}. Use a smaller batch.`,
  );
});
