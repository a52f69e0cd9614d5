import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TunedConvolution } from '@cambium/cam';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { tuneCommand } from '../src/commands/tune.ts';
import { InterruptedError } from '../src/errors.ts';
import { findTuning, keepTuning, tuningPath } from '../src/tuning/tuning-file.ts';
import { openUi } from '../src/ui.ts';
import { temporaryFolder } from './support/run-cambium.ts';
import { runHere } from './support/run-here.ts';
import { writeTinyStudy } from './support/tiny-study.ts';

const device = {
  adapter: { vendor: 'maker', architecture: 'first', device: 'card', description: 'driver 1.2' },
  software: false,
  limits: { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 32_768 },
  features: [],
};
const options = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], relu: true } as const;
const won: TunedConvolution = {
  precision: 'f32',
  shape: { pixels: 6272, depth: 576, channels: 64, options },
  winner: 'conv2dLast16×8',
};

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.stubEnv('LOCALAPPDATA', folder);
});
afterEach(() => vi.unstubAllEnvs());

describe('the file of a tuning', () => {
  const path = () => join(folder, 'tuning.json');

  test('holds what was kept, with what is found out later', async () => {
    expect(findTuning(device, path())).toEqual({ path: path() });
    expect(await keepTuning(device, { convolutions: [won] }, path())).toBe(1);
    expect(findTuning(device, path()).tuning).toEqual({ convolutions: [won] });
    const half = { ...won, precision: 'f16', winner: 'conv2dHalf' } as const;
    expect(await keepTuning(device, { convolutions: [{ ...won, winner: 'conv2dLast' }, half] }, path())).toBe(2);
    const { tuning, said } = findTuning(device, path());
    expect(tuning?.convolutions.map(({ winner }) => winner)).toEqual(['conv2dLast', 'conv2dHalf']);
    expect(said).toMatch(/^tuned for 2 convolutions on \d{4}-\d\d-\d\d$/);
  });

  test('is one for each adapter and driver, in the cache folder', () => {
    const updated = { ...device, adapter: { ...device.adapter, description: 'driver 1.3' } };
    expect(tuningPath(device)).not.toBe(tuningPath(updated));
    if (process.platform === 'linux') expect(dirname(tuningPath(device))).toBe(join(folder, 'cambium'));
  });

  test.each([
    ['cut off', (text: string) => text.slice(0, 200), /it is no JSON/],
    ['of another format', (text: string) => text.replace('"format": 1', '"format": 2'), /format: /],
    ['without a winner', (text: string) => text.replace('"winner"', '"loser"'), /convolutions\.0\.winner: /],
    ['of another adapter', (text: string) => text.replace('driver 1.2', 'driver 1.1'), /it is of driver 1\.1/],
    [
      'of other programs',
      (text: string) => text.replace(/"programs": "../, '"programs": "zz'),
      /made with other programs/,
    ],
  ])('%s is told and not used, and can be made anew', async (_, spoil, reason) => {
    await keepTuning(device, { convolutions: [won] }, path());
    writeFileSync(path(), spoil(readFileSync(path(), 'utf8')));
    const { tuning, fault } = findTuning(device, path());
    expect(tuning).toBeUndefined();
    expect(fault).toMatch(reason);
    expect(fault).toContain('Make it anew with cambium tune, or remove it.');
    await keepTuning(device, { convolutions: [won] }, path());
    expect(findTuning(device, path()).tuning).toEqual({ convolutions: [won] });
  });

  test('does not hold for a device that can run other programs', async () => {
    await keepTuning(device, { convolutions: [won] }, path());
    const small = { ...device, limits: { ...device.limits, maxComputeInvocationsPerWorkgroup: 64 } };
    expect(findTuning(small, path()).fault).toMatch(/made with other programs/);
  });

  test('that cannot be written is one sentence', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(keepTuning(device, { convolutions: [won] }, join(folder, 'file', 'tuning.json'))).rejects.toThrow(
      /cannot be made: .*Choose another file with --out\./,
    );
  });
});

test.each([
  [['--device', 'cpu'], /device "cpu"/],
  [['--precision', 'int8'], /precision "int8"/],
  [['--batch', '0'], /--batch takes a whole number/],
])('tune %j is refused', async (flags, reason) => {
  const { code, errors } = await runHere('tune', ...flags);
  expect(code).toBe(2);
  expect(errors).toMatch(reason);
});

describeGpu('cambium tune on a software adapter', ({ open }) => {
  test('keeps what won, and run, report and doctor know of it', async () => {
    const suite = await writeTinyStudy(folder);
    const tuned = await runHere('tune', join(folder, 'tiny.onnx'), '--device', 'software', '--batch', '2');
    expect(tuned.code, tuned.errors).toBe(0);
    expect(tuned.output).toMatch(/^3×3 +512 × 36 × 8 +conv2dLastDirect +\d+\.\d{3} +\d+\.\d .*default +1\.00×$/m);
    expect(tuned.output).toMatch(/^All convolutions: \d+\.\d\d ms as won, \d+\.\d\d ms by default \(\d+\.\d\d×\)/m);
    expect(tuned.output).toMatch(/^2 convolutions are known for this adapter in .*; run and explain compute by it/m);
    expect((await runHere('doctor', '--software')).output).toMatch(/; tuned for 2 convolutions on \d{4}-/);
    const out = join(folder, 'run');
    const flags = ['--images', join(folder, 'images'), '--limit', '1', '--only', 'grad-cam@late:complexity'];
    const ended = await runHere('run', suite, '-o', out, '--device', 'software', ...flags);
    expect(ended.code, ended.errors).toBe(0);
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).adapter).toMatch(/, tuned for 2 convolutions on /);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toMatch(/tuned for 2 convolutions on /);
  });

  test('keeps what it had timed when it is stopped', async () => {
    await writeTinyStudy(folder);
    const stop = new AbortController();
    const progress = {
      update: () => stop.abort(new InterruptedError('Stopped.')),
      [Symbol.dispose]() {},
    };
    const notes: string[] = [];
    const nowhere = { write: () => undefined };
    const quiet = openUi({ output: nowhere, errors: nowhere, environment: {}, clock: () => 0 });
    const ui = { ...quiet, progress: () => progress, note: (line: string) => notes.push(line) };
    const flags = { device: 'software', precision: 'f32', batch: '2' };
    const surroundings = { ui, root: undefined, models: undefined, began: 0, signal: stop.signal };
    await expect(tuneCommand(join(folder, 'tiny.onnx'), flags, surroundings)).rejects.toThrow('Stopped.');
    expect(notes.at(-1)).toMatch(/^What was timed before the end is kept in .*: convolutions 1 to 1\.$/);
    using opened = await open();
    expect(findTuning(opened).tuning?.convolutions).toHaveLength(1);
  });

  test('a damaged file is told, and the defaults compute', async () => {
    const suite = await writeTinyStudy(folder);
    const opened = await open();
    const path = tuningPath(opened);
    opened.close();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '{');
    const flags = [
      '--images',
      join(folder, 'images'),
      '--limit',
      '1',
      '--only',
      'grad-cam@late:complexity',
      '--no-report',
    ];
    const ended = await runHere('run', suite, '-o', join(folder, 'run'), '--device', 'software', ...flags);
    expect(ended.code, ended.errors).toBe(0);
    expect(ended.errors).toContain(`The tuning in ${path} is not used: it is no JSON.`);
    const refused = await runHere('tune', join(folder, 'tiny.onnx'), '--device', 'software', '--out', path);
    expect([refused.code, refused.errors]).toEqual([2, expect.stringContaining('--out: The tuning in')]);
  });
});
