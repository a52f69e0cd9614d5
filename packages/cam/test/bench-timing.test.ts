import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alternate, warmUp } from '../bench/alternate.ts';
import { type BenchReport, saveReport } from '../bench/bench-report.ts';
import { type DeviceCeilings, largerOf } from '../bench/device-ceilings.ts';

const ceilings: DeviceCeilings = { f32: 50e12, f16: null, matrices: 400e12, bytesPerSecond: 2e12, faults: ['one'] };

test('works are timed in turn, so that a drift of the clocks meets all alike', async () => {
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(name);
  };
  const times = await alternate({ plain: work('plain'), masked: work('masked') }, { least: 3, seconds: 0 });
  expect(order).toEqual(['plain', 'masked', 'plain', 'masked', 'plain', 'masked']);
  const { median, least, most } = times.masked;
  expect(median).toBeGreaterThanOrEqual(least);
  expect(median).toBeLessThanOrEqual(most);
});

test('warming up does everything once at least, and goes on for its seconds', async () => {
  const done = { once: 0, long: 0 };
  const count = (name: keyof typeof done) => async () => {
    done[name]++;
  };
  await warmUp([count('once')], 0);
  expect(done.once).toBe(1);
  const start = performance.now();
  await warmUp([count('long')], 0.01);
  expect(performance.now() - start).toBeGreaterThanOrEqual(10);
  expect(done.long).toBeGreaterThan(1);
});

test('of two measurements of a device the larger of each figure is kept', () => {
  const later = { f32: 40e12, f16: 30e12, matrices: 600e12, bytesPerSecond: 3e12, faults: ['one', 'two'] };
  const larger = { f32: 50e12, f16: 30e12, matrices: 600e12, bytesPerSecond: 3e12, faults: ['one', 'two'] };
  expect(largerOf(ceilings, later)).toEqual(larger);
});

test('parts of peaks are of the ceilings in the file, also those that were measured after the rows', async () => {
  const row = { what: 'cambium', variant: 'f16', precision: 'f16', batch: 1, device: '', maskedForwardsPerSecond: 1e4 };
  const step = { kernel: 'conv2dMatrix', shapes: [], count: 1, seconds: 1, flopsPerSecond: 1e14, bytesPerSecond: 1e10 };
  const report: BenchReport = {
    schema: 'cambium-bench/2',
    ceilings,
    rows: [row, { ...row, maskedForwardsPerSecond: undefined, failed: 'out of memory' }],
    steps: [{ variant: 'f16', batch: 1, ...step }],
    convolutions: [],
    host: [],
  };
  const path = join(mkdtempSync(join(tmpdir(), 'cambium-bench-')), 'cambium.json');
  report.ceilings = { ...ceilings, matrices: 800e12 };
  await saveReport(path, report);
  const { rows, steps } = JSON.parse(readFileSync(path, 'utf8'));
  expect(rows[0].ofPeak).toBeCloseTo(8.17e13 / 800e12, 12); // 8.17 · 10⁹ operations for each forward pass
  expect(rows[0].ofF32Peak).toBeCloseTo(8.17e13 / 50e12, 12);
  expect(rows[1]).not.toHaveProperty('ofPeak');
  expect(steps[0].ofRoofline).toBeCloseTo(1 / 8, 12);
});
