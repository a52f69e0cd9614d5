import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { DeviceError, numpyRandom, type OpenedDevice, openDevice, uniformTensor } from '@cambium/gpu-kernels';
import { selectSoftwareDriver } from '../../gpu-kernels/test/support/software-gpu.ts';
import cam from '../package.json' with { type: 'json' };
import { readModel } from '../src/onnx/read.ts';
import { type BenchReport, type BenchRow, saveReport } from './bench-report.ts';
import { type DeviceCeilings, largerOf, measureCeilings } from './device-ceilings.ts';
import { hostTimes } from './host.ts';
import { versionOf } from './machine.ts';
import { measureForm } from './measure-form.ts';
import { measureVariant } from './measure-variant.ts';
import { ofRoofline, stepTimes } from './step-times.ts';
import { type Variant, variantNames, variantOf } from './variants.ts';

// pnpm bench webgpu [--software] [--robustness] [--batches 32,128] [--tuned-batches 128] [--variants f32,f16-tuned] [--masks 2048]
// [--steps 64] [--limit SECONDS] [--json FILE]: the embedded network on this machine's GPU, in every way that it can be computed
// there. Numbers are held to ONNX Runtime's first (those of recorded.ts, so that it need not be here); then forward passes, masked
// ones, Score-CAM maps, walks and every step are timed, beside what the GPU can do, which is measured before and after. Rows are
// those of bench/peers. The file is written after each; what cannot be measured is a row that says why, and the exit code is then 1.
// No variant is begun after the limit. As in the command, no index is checked; --robustness has them checked.

/** The network on ONNX Runtime, kernels on the GPU: what keeping everything there is to be compared with. */
const HYBRID = 'hybrid';
const known = [...variantNames, HYBRID];

const { values: flags } = parseArgs({
  options: {
    software: { type: 'boolean', default: false },
    robustness: { type: 'boolean', default: false },
    batches: { type: 'string', default: '32,64,128,256' },
    'tuned-batches': { type: 'string', default: '128' },
    variants: { type: 'string', default: known.join(',') },
    masks: { type: 'string', default: '2048' },
    steps: { type: 'string', default: '64' },
    limit: { type: 'string', default: 'Infinity' },
    model: { type: 'string', default: 'models/resnet50-textures10.onnx' },
    commit: { type: 'string' },
    json: { type: 'string' },
  },
});
const numbers = (text: string) => text.split(',').map(Number);
const batches = numbers(flags.batches);
const names = flags.variants.split(',');
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`--variants takes ${known.join(', ')}; got ${unknown.join(', ')}.`);
  process.exit(2);
}
const masks = Number(flags.masks);
const limit = Number(flags.limit);
if (flags.software) selectSoftwareDriver();
let opened = await open().catch((error: unknown) => {
  if (!(error instanceof DeviceError)) throw error;
  console.error(
    `${error.message}\nTo try the benchmark in software: pnpm bench webgpu --software --batches 1 --masks 2 --steps 1 --variants f32`,
  );
  return process.exit(2);
});
const graph = readModel(await readFile(flags.model));
const device = `${opened.adapter.description || opened.adapter.device}${opened.software ? ' (software)' : ''}`;
const [cpu] = cpus();
const report: BenchReport = {
  schema: 'cambium-bench/2',
  machine: { cpu: cpu?.model, cores: cpus().length, memoryGB: Math.round(totalmem() / 1e9), os: release() },
  adapter: opened.adapter,
  software: opened.software,
  robustness: opened.robustness,
  features: opened.features,
  limits: opened.limits,
  subgroups: opened.subgroups,
  tried: opened.tried,
  versions: {
    cambium: cam.version,
    node: process.versions.node,
    webgpu: versionOf('webgpu'),
    commit: flags.commit ?? null,
  },
  ceilings: await measureCeilings(opened),
  rows: [],
  steps: [],
  convolutions: [],
  host: [],
};
tellCeilings(report.ceilings);
for (const fault of report.ceilings.faults) console.error(fault);
let right = false;
for (const name of names.filter((other) => other !== HYBRID)) {
  for (const batch of name.endsWith('-tuned') ? numbers(flags['tuned-batches']) : batches) await attempt(name, batch);
}
if (right && !opened.software) await measureCeilingsAgain(); // also after the limit: all parts of peaks are of it
if (names.includes(HYBRID)) await attemptHybrid();
if (right && isTime()) await measureHost();
process.exit(); // Dawn's null backend keeps the process alive

function open(): Promise<OpenedDevice> {
  return openDevice({
    prefer: flags.software ? 'software' : 'hardware',
    robustness: flags.robustness,
    toggles: { disable: ['timestamp_quantization'] }, // timestamps are rounded to 65 µs unless this is off
  });
}

function isTime(): boolean {
  return performance.now() < 1000 * limit;
}

function tellCeilings({ f32, f16, matrices, bytesPerSecond }: DeviceCeilings): void {
  console.log(
    `${device}: ${tera(f32)} TFLOP/s in float32, ${tera(f16)} in halves, ${tera(matrices)} by matrices of subgroups; copies ${(bytesPerSecond / 1e9).toFixed(1)} GB/s`,
  );
}

/** A GPU does more at one time than at another; the larger figures are kept, and all parts of peaks are of those. */
async function measureCeilingsAgain(): Promise<void> {
  try {
    report.ceilings = largerOf(report.ceilings, await measureCeilings(opened));
  } catch (error) {
    console.error(`Ceilings were not measured again: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  tellCeilings(report.ceilings);
  await save();
}

/** Adds a row of what was measured, or of the reason why nothing was; the next attempt has a device of its own then. */
async function attempt(name: string, batch: number): Promise<void> {
  const head = { what: 'cambium', variant: name, precision: name.slice(0, 3), batch, device };
  const at = report.rows.length;
  const settle = (row: BenchRow) => {
    report.rows[at] = row;
    return save();
  };
  const fail = async (failed: string) => {
    process.exitCode = 1;
    console.error(`${name} batch ${batch}: ${failed}`);
    await settle({ ...head, failed });
  };
  if (!isTime()) return fail(`not begun: the ${limit} s were over`);
  await settle({ ...head, failed: 'under way when the run was ended' });
  try {
    const variant = await variantOf(name, opened, graph, batch);
    if (typeof variant === 'string') {
      console.log(`${name} batch ${batch}: ${variant}`);
      return await settle({ ...head, failed: variant });
    }
    for (const { programs, winner, shape, count } of variant.timed ?? []) {
      report.convolutions.push({ variant: name, batch, shape, count, winner, programs });
    }
    await settle({ ...head, ...(await measure(variant, batch, name)) });
    right = true;
    if (batch === batches[0] || batches.every((other) => other !== batch)) await measureSteps(name, variant);
  } catch (error) {
    const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
    // the row may be there, and only what follows it have failed
    if ('failed' in report.rows[at]) await fail(said);
    else console.error(`${name} batch ${batch}: its steps were not timed: ${said}`);
    opened.close(); // it may be lost
    opened = await open();
  }
}

/** ONNX Runtime may not be here: then the row says so. */
async function attemptHybrid(): Promise<void> {
  const head = { what: 'cambium', variant: HYBRID, precision: 'f32', batch: 16, device };
  const fail = async (failed: string) => {
    console.error(`${HYBRID}: ${failed}`);
    report.rows.push({ ...head, failed });
    await save();
  };
  if (!isTime()) return fail(`not begun: the ${limit} s were over`);
  try {
    const { ortClassifier } = await import('../src/classifiers/ort.ts');
    const { hybridClassifier } = await import('../src/classifiers/hybrid.ts');
    await using classifier = hybridClassifier(ortClassifier(graph, { thread: 'caller' }), opened, { maxBatch: 16 });
    const measure = { what: HYBRID, batch: 16, channels: Math.min(masks, 256), rounds: 3, allowed: 1e-5 };
    const { imagesPerSecond, maskedForwardsPerSecond, msPerMap, largestDifference } = await measureForm(
      classifier,
      measure,
    );
    report.rows.push({ ...head, imagesPerSecond, maskedForwardsPerSecond, msPerMap, largestDifference });
    await save();
    console.log(`${HYBRID}: ${imagesPerSecond?.toFixed(1)} images/s, ${maskedForwardsPerSecond?.toFixed(1)} masked`);
  } catch (error) {
    await fail(error instanceof Error ? error.message.split('\n')[0] : String(error));
  }
}

/** Numbers of a row, once they are found. @throws Error where the logits are wrong: nothing is then timed */
async function measure(variant: Variant, batch: number, name: string) {
  const isFirst = batch === batches[0] && name === 'f32';
  const walks = isFirst ? (opened.software ? 1 : 16) : 0;
  const times = await measureVariant(graph, opened, { variant, batch, masks, walks });
  const { imagesPerSecond, maskedForwardsPerSecond: speed, msPerMap, overheadOfMasks, overheadOfMap } = times;
  console.log(
    `${name} batch ${batch}: ${imagesPerSecond.toFixed(1)} images/s, ${speed.toFixed(1)} masked (${percent(overheadOfMasks)} more time), ${msPerMap.toFixed(0)} ms for a map of 2,048 channels (${percent(overheadOfMap)} more), ${times.uploadedImagesPerSecond.toFixed(1)} images/s uploaded, logits within ${times.largestDifference.toExponential(1)}`,
  );
  return times;
}

/** Every step of a forward pass. */
async function measureSteps(name: string, variant: Variant): Promise<void> {
  const steps = Number(flags.steps);
  if (steps === 0) return;
  const images = uniformTensor(numpyRandom(3), [steps, 3, 224, 224], -2, 2);
  const times = await stepTimes({ graph, images }, opened, variant);
  report.steps.push(...times.map((time) => ({ variant: name, batch: steps, ...time })));
  await save();
  const total = times.reduce((sum, { count, seconds }) => sum + count * seconds, 0);
  console.log(
    `  all steps: ${(1000 * total).toFixed(3)} ms for ${steps} images, ${(steps / total).toFixed(1)} images/s`,
  );
  for (const time of times.slice(0, 5)) {
    const { kernel, shapes, count, seconds } = time;
    const shape = shapes.at(-1)?.join('×');
    const part = percent(ofRoofline(time, report.ceilings));
    console.log(`  ${count} × ${kernel} → ${shape}: ${(1000 * seconds).toFixed(3)} ms, ${part} of roofline`);
  }
}

/** What the host does for a batch and a map, after all else has been measured and kept. */
async function measureHost(): Promise<void> {
  for (const precision of ['f32', 'f16'] as const) {
    const host = await hostTimes(graph, precision);
    report.host.push({ precision, ...host });
    console.log(
      `${precision}: the host takes ${host.msPerBatch.toFixed(2)} ms for a batch of any length, most of it while the GPU computes, and ${host.msBesideBatches.toFixed(1)} ms for a map of 2,048 channels before and after its batches`,
    );
  }
  await save();
}

/** Whole at any moment, also where the run is ended meanwhile. */
async function save(): Promise<void> {
  if (flags.json) await saveReport(flags.json, report);
}

function tera(value: number | null): string {
  return value === null ? 'none' : (value / 1e12).toFixed(3);
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
