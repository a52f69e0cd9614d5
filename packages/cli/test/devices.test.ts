import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { runHere } from './support/run-here.ts';
import { writeTinyStudy } from './support/tiny-study.ts';

const folder = mkdtempSync(join(tmpdir(), 'cambium-devices-'));
let suite: string;
beforeAll(async () => {
  suite = await writeTinyStudy(folder);
});

async function run(name: string, ...flags: readonly string[]) {
  const out = join(folder, name);
  const ended = await runHere(
    'run',
    suite,
    '-o',
    out,
    '--no-report',
    '--images',
    join(folder, 'images'),
    '--limit',
    '1',
    ...flags,
  );
  return { ...ended, out };
}

function valuesOf(out: string): Map<string, number | null> {
  const lines = readFileSync(join(out, 'results.jsonl'), 'utf8').trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line));
  return new Map(rows.map((row) => [`${row.technique} ${row.layer} ${row.metric}`, row.value]));
}

const recordOf = (out: string) => JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'));

/** Scores that do not hang on a threshold; a count of features near it may differ. */
function expectNear(out: string, other: string, within: number): void {
  const [ours, theirs] = [valuesOf(out), valuesOf(other)];
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
  for (const [cell, value] of ours) {
    if (cell.endsWith('non-sensitivity')) continue;
    const expected = theirs.get(cell) ?? 0;
    expect(Math.abs((value ?? 0) - expected), cell).toBeLessThan(within * (1 + Math.abs(expected)));
  }
}

describe('a run', () => {
  let cpu: string;
  beforeAll(async () => {
    const ended = await run('cpu', '--device', 'cpu');
    expect(ended.code, ended.errors).toBe(0);
    cpu = ended.out;
  });

  test('in int8 keeps the ranges it rounds to, tells what they cost, and goes on with the same', async () => {
    const first = await run('int8', '--precision', 'int8', '--only', '*@early');
    expect(first.code, first.errors).toBe(0);
    const ranges = readFileSync(join(first.out, 'int8-ranges.json'), 'utf8');
    const { precision, device, checks, places } = recordOf(first.out);
    expect([precision, device]).toEqual(['int8', 'onnxruntime cpu int8']);
    expect(checks.length).toBeGreaterThan(3);
    for (const { difference, tolerance } of checks) expect(difference).toBeLessThanOrEqual(tolerance);
    expect(places.map(({ layer }: { layer: string }) => layer)).toEqual(['early', 'late']);
    for (const { techniques } of places) {
      expect(techniques.map(({ title }: { title: string }) => title)).toEqual([
        'Grad-CAM',
        'Score-CAM',
        'Relevance-CAM',
      ]);
      for (const { own, reference, place } of techniques) {
        expect(own).not.toBe(reference); // it is scored in int8 as well
        expect(Math.abs(own - reference)).toBeLessThan(0.05);
        expect([1, 2, 3]).toContain(place);
      }
    }
    const second = await run('int8', '--precision', 'int8');
    expect(second.code, second.errors).toBe(0);
    expect(readFileSync(join(first.out, 'int8-ranges.json'), 'utf8')).toBe(ranges);
    expect(valuesOf(second.out).size).toBe(valuesOf(cpu).size);
    expect([...valuesOf(second.out).values()]).not.toEqual([...valuesOf(cpu).values()]);
  });

  test('in another precision does not take over cells', async () => {
    const out = await run('int8', '--device', 'cpu');
    expect(out.code, out.errors).toBe(0);
    expectNear(out.out, cpu, 1e-12);
  });

  test('on a device or in a precision that is not there is refused before anything is written', async () => {
    for (const flags of [
      ['--device', 'hybrid', '--precision', 'int8'],
      ['--device', 'cpu', '--precision', 'f16'],
      ['--device', 'gpus'],
    ]) {
      const ended = await run(`refused-${flags.join('')}`, ...flags);
      expect(ended.code).toBe(2);
      expect(ended.errors).toMatch(/--precision|device "gpus"/);
    }
  });

  describeGpu('on a software adapter', () => {
    afterAll(() => vi.unstubAllEnvs());

    test.each([
      ['gpu', ['--device', 'software'], 2e-3],
      ['hybrid', ['--device', 'hybrid'], 2e-3],
      ['half', ['--device', 'software', '--precision', 'f16'], 5e-2],
    ] as const)('%s scores what the CPU scores', async (name, flags, within) => {
      vi.stubEnv('CAMBIUM_SOFTWARE_GPU', '1');
      const ended = await run(name, ...flags);
      expect(ended.code, ended.errors).toBe(0);
      expectNear(ended.out, cpu, within);
      const { checks, adapter, spent } = recordOf(ended.out);
      expect(adapter).toContain('(software)');
      expect(checks.length).toBeGreaterThan(3);
      expect(spent.classifier).toBeGreaterThan(0);
    });

    test('explain holds the logits to ONNX Runtime and says how near they are', async () => {
      const out = join(folder, 'explained');
      const [image] = readdirSync(join(folder, 'images'));
      const flags = ['--model', join(folder, 'tiny.onnx'), '--device', 'software', '-o', out];
      const ended = await runHere('explain', join(folder, 'images', image), ...flags);
      expect(ended.code, ended.errors).toBe(0);
      const { checks } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
      expect(checks).toHaveLength(1);
      expect(checks[0].difference).toBeLessThan(1e-4);
    });

    test('auto takes the CPU and says why', async () => {
      const ended = await run('auto');
      expect(ended.code, ended.errors).toBe(0);
      expect(ended.errors).toMatch(/Computing on the CPU: no GPU was found \(.*\)\./s);
      expect(recordOf(ended.out).device).toBe('onnxruntime cpu');
    });
  });
});
