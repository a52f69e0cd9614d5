import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { requireAgreement } from '../bench/agreement.ts';
import { type BenchCase, cases, scales } from '../bench/cases.ts';
import { copy, multiplyAdd } from '../bench/ceilings.ts';
import type { Report } from '../bench/report.ts';
import { foldGrid } from '../src/gpu/grid.ts';
import { type AnyKernel, type KernelName, kernels, numpyRandom, sizeOf, tensor, webgpuEngine } from '../src/index.ts';
import { describeGpu } from './support/describe-gpu.ts';

describeGpu('the benchmark', ({ open }) => {
  test.each([copy, multiplyAdd])(
    'of the ceilings runs $name, which computes what it should',
    async (kernel: AnyKernel) => {
      using opened = await open();
      using engine = webgpuEngine(opened.device);
      for (const [inputs, options] of kernel.samples(numpyRandom(3))) {
        expect((await requireAgreement(engine, { kernel, inputs, options })).error).toBe(0);
      }
    },
  );

  test('refuses to time wrong numbers', async () => {
    using opened = await open();
    using engine = webgpuEngine(opened.device);
    const wrong: AnyKernel = { ...kernels.positivePart, wgsl: kernels.negativePart.wgsl };
    const subject = { kernel: wrong, inputs: { input: tensor([-1, 2], [2]) }, options: undefined };
    await expect(requireAgreement(engine, subject)).rejects.toThrow(
      'positivePart is wrong on this GPU and was not timed: its error is 1.25, at most 1e-7 is allowed.',
    );
  });

  test('writes what it found, beside what the device can do', async () => {
    using opened = await open();
    if (!opened.software) return; // it would choose the machine's own GPU by itself
    const folder = await mkdtemp(join(tmpdir(), 'cambium-bench-'));
    try {
      const { stdout } = await bench('--software', '--json', join(folder, 'bench.json'), 'minMax', 'matmul');
      const report: Report = JSON.parse(await readFile(join(folder, 'bench.json'), 'utf8'));
      expect(stdout).toMatch(/of device.*\nmatmul +\d.*(arithmetic|memory).*\nminMax +\d.*memory/);
      expect(stdout).toMatch(
        /^8 results of 4\.2 MB take [\d.]+ ms uploaded.* together \([\d.]+\), and [\d.]+ ms computed alone\.$/m,
      );
      expect(report.overlap).toMatchObject({ results: 8, bytes: 2 ** 22 });
      expect(report.rows.map(({ kernel }) => kernel)).toEqual(['matmul', 'minMax']);
      const [{ seconds, bytesPerSecond, flopsPerSecond, fraction }] = report.rows;
      expect(flopsPerSecond).toBeCloseTo((2 * 48 ** 3) / seconds, 3);
      const { ceilings } = report; // which of them binds depends on the machine's load
      const bounds = [flopsPerSecond! / ceilings.flopsPerSecond, bytesPerSecond / ceilings.bytesPerSecond];
      expect(fraction).toBeCloseTo(Math.max(...bounds), 9);
      expect(report.rows[1].bytesPerSecond).toBeCloseTo((8 * 6 * 32 * 32) / report.rows[1].seconds, 3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test.each(Object.entries(scales))('at the scale of %s every kernel has a case that any device can bind', (_, scale) => {
  for (const name of Object.keys(kernels) as KernelName[]) {
    const kernel: AnyKernel = kernels[name];
    const { shapes, options }: BenchCase = cases[name](scale);
    expect(Object.keys(shapes)).toEqual(expect.arrayContaining([...kernel.inputs]));
    const { output, workgroups } = kernel.plan(shapes, options);
    for (const shape of [output, ...Object.values(shapes)]) expect(4 * sizeOf(shape)).toBeLessThanOrEqual(2 ** 27);
    expect(() => foldGrid(workgroups, 65_535, name)).not.toThrow();
  }
});

test('the benchmark names the kernels there are when asked for another', async () => {
  const failure = await bench('nonsense').catch((error: { code: number; stderr: string }) => error);
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining('no kernel nonsense. There are: add, ') });
});

function bench(...parameters: string[]) {
  const script = fileURLToPath(new URL('../bench/kernels.ts', import.meta.url));
  return promisify(execFile)(process.execPath, ['--conditions=source', script, ...parameters], { timeout: 50_000 });
}
