import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import {
  DeviceError,
  numpyRandom,
  openDevice,
  rows as rowsOf,
  sweep,
  tensor,
  uniformTensor,
} from '@cambium/gpu-kernels';
import { selectSoftwareDriver } from '../../gpu-kernels/test/support/software-gpu.ts';
import { rules } from '../src/backward/rules/index.ts';
import { type WebgpuClassifier, webgpuClassifier } from '../src/classifiers/webgpu.ts';
import { resolveLayer } from '../src/layers.ts';
import { readModel } from '../src/onnx/read.ts';
import { measureCeilings } from './device-ceilings.ts';
import { hostTimes } from './host.ts';
import { differenceOf, image, masked, recordedLogits, recordedMasked } from './recorded.ts';
import { stepTimes } from './step-times.ts';
import { type Variant, variantNames, variantOf } from './variants.ts';

// pnpm bench webgpu [--software] [--batches 32,128] [--variants f32,f16-tuned] [--masks 2048] [--steps 64] [--json FILE]: the
// embedded network on this machine's GPU, in every way that it can be computed there. Numbers are held to ONNX Runtime's first
// (those of recorded.ts, so that it need not be here); then masked forward passes, a Score-CAM map, walks and every step are
// timed, beside what the GPU can do. Rows are those of bench/peers. The file is written after each.

/** Additions and multiplications of one forward pass of ResNet-50 at 224². */
const FLOPS = 8.17e9;
const ALLOWED = { f32: 1e-3, f16: 2e-2 } as const;

const { values: flags } = parseArgs({
  options: {
    software: { type: 'boolean', default: false },
    batches: { type: 'string', default: '32,64,128,256' },
    variants: { type: 'string', default: variantNames.join(',') },
    masks: { type: 'string', default: '2048' },
    steps: { type: 'string', default: '64' },
    model: { type: 'string', default: 'models/resnet50-textures10.onnx' },
    commit: { type: 'string' },
    json: { type: 'string' },
  },
});
const batches = flags.batches.split(',').map(Number);
const names = flags.variants.split(',');
const unknown = names.filter((name) => !variantNames.includes(name));
if (unknown.length > 0) {
  console.error(`--variants takes ${variantNames.join(', ')}; got ${unknown.join(', ')}.`);
  process.exit(2);
}
const masks = Number(flags.masks);
if (flags.software) selectSoftwareDriver();
using opened = await openDevice({
  prefer: flags.software ? 'software' : 'hardware',
  toggles: { disable: ['timestamp_quantization'] }, // timestamps are rounded to 65 µs unless this is off
}).catch((error: unknown) => {
  if (!(error instanceof DeviceError)) throw error;
  console.error(
    `${error.message}\nTo try the benchmark in software: pnpm bench webgpu --software --batches 1 --masks 2 --steps 1 --variants f32`,
  );
  return process.exit(2);
});
const graph = readModel(await readFile(flags.model));
const device = `${opened.adapter.description || opened.adapter.device}${opened.software ? ' (software)' : ''}`;
const ceilings = await measureCeilings(opened);
const [cpu] = cpus();
const report = {
  schema: 'cambium-bench/1',
  machine: { cpu: cpu?.model, cores: cpus().length, memoryGB: Math.round(totalmem() / 1e9), os: release() },
  adapter: opened.adapter,
  software: opened.software,
  features: opened.features,
  limits: opened.limits,
  subgroups: opened.subgroups,
  tried: opened.tried,
  versions: { node: process.versions.node, commit: flags.commit ?? null },
  ceilings,
  rows: [] as object[],
  steps: [] as object[],
  convolutions: [] as object[],
  host: [] as object[],
};
const { f32, f16, matrices, bytesPerSecond } = ceilings;
console.log(
  `${device}: ${tera(f32)} TFLOP/s in float32, ${tera(f16)} in halves, ${tera(matrices)} by matrices of subgroups; copies ${(bytesPerSecond / 1e9).toFixed(1)} GB/s`,
);
for (const name of names) await measureVariant(name);
if (report.rows.length > 0) await measureHost();

async function measureVariant(name: string): Promise<void> {
  const steps = Number(flags.steps);
  for (const batch of batches) {
    const variant = await variantOf(name, opened, graph, batch);
    if (!variant) return console.log(`${name}: nothing of its own on this device`);
    for (const { programs, winner, shape, count } of variant.timed ?? []) {
      report.convolutions.push({ variant: name, batch, shape, count, winner, programs });
    }
    if (!(await measure(name, variant, batch))) return;
    if (batch !== batches[0] || steps === 0) continue;
    const images = uniformTensor(numpyRandom(3), [steps, 3, 224, 224], -2, 2);
    const times = await stepTimes({ graph, images }, { opened, ceilings }, variant);
    report.steps.push(...times.map((time) => ({ variant: name, batch: steps, ...time })));
    await save();
    for (const { kernel, shapes, count, seconds, ofRoofline } of times.slice(0, 5)) {
      const shape = shapes.at(-1)?.join('×');
      console.log(
        `  ${count} × ${kernel} → ${shape}: ${(1000 * seconds).toFixed(3)} ms, ${percent(ofRoofline)} of roofline`,
      );
    }
  }
}

/** @returns whether the numbers are right */
async function measure(name: string, variant: Variant, batch: number): Promise<boolean> {
  await using classifier = webgpuClassifier(graph, opened, { ...variant, maxBatch: batch });
  const largestDifference = Math.max(
    differenceOf(await classifier.predict(image), recordedLogits),
    differenceOf(await classifier.predictVariants(masked(4)), recordedMasked),
  );
  if (!(largestDifference <= ALLOWED[variant.precision])) {
    console.error(`${name}: logits differ by ${largestDifference} of the largest; nothing was timed.`);
    process.exitCode = 1;
    return false;
  }
  const request = { ...masked(masks), classifier, batch };
  await sweep({ ...request, inputs: masked(Math.min(masks, 2 * batch)).inputs }); // plans and compiles
  const seconds = await secondsOf(() => sweep(request));
  const images = uniformTensor(numpyRandom(4), [Math.min(masks, 4 * batch), 3, 224, 224], -2, 2);
  await classifier.predict(rowsOf(images, 0, Math.min(batch, images.shape[0]))); // plans
  const plain = await secondsOf(() => classifier.predict(images)); // images are uploaded, as a user's are
  const speed = masks / seconds;
  const walks = batch === batches[0] && name === 'f32' ? await walkTimes(classifier) : {};
  const peak = variant.precision === 'f16' ? (matrices ?? f32) : f32;
  const row = {
    what: 'cambium',
    variant: name,
    precision: variant.precision,
    batch,
    device,
    imagesPerSecond: images.shape[0] / plain,
    maskedForwardsPerSecond: speed,
    msPerMap: 1000 * seconds * (2048 / masks),
    peakMemoryMB: classifier.memory().peak / 1e6,
    teraflopsPerSecond: (speed * FLOPS) / 1e12,
    ofPeak: (speed * FLOPS) / peak,
    ofF32Peak: (speed * FLOPS) / f32,
    largestDifference,
    ...walks,
  };
  report.rows.push(row);
  console.log(
    `${name} batch ${batch}: ${speed.toFixed(1)} masked forwards/s, ${row.msPerMap.toFixed(0)} ms for a map of 2,048 channels, ${percent(row.ofPeak)} of the peak, logits within ${largestDifference.toExponential(1)}`,
  );
  await save();
  return true;
}

/** What the host does for a batch and a map, after all else has been measured and kept. */
async function measureHost(): Promise<void> {
  for (const precision of ['f32', 'f16'] as const) {
    const host = await hostTimes(graph, precision);
    report.host.push({ precision, ...host });
    console.log(
      `${precision}: the host takes ${host.msPerBatch.toFixed(2)} ms for a batch of any length and ${host.msBesideBatches.toFixed(1)} ms for a map of 2,048 channels beside its batches, most of it while the GPU computes`,
    );
  }
  await save();
}

/** Milliseconds that forward pass and walk to layer2 take for an image. */
async function walkTimes(classifier: WebgpuClassifier): Promise<{ readonly [name: string]: number }> {
  const count = opened.software ? 1 : 16;
  const images = uniformTensor(numpyRandom(3), [count, 3, 224, 224], -2, 2);
  const layer = resolveLayer(graph, 'layer2');
  const times: { [name: string]: number } = {};
  for (const rule of ['gradient', 'zPlus'] as const) {
    const one = rules[rule].start(classifier.classes, 0);
    const start = tensor(Array.from({ length: count }, () => [...one]).flat(), [count, one.length]);
    const walk = () => classifier.backward(images, layer, rule, start);
    await walk();
    times[`${rule}Ms`] = (1000 * (await secondsOf(walk))) / count;
  }
  return times;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

async function save(): Promise<void> {
  if (!flags.json) return;
  await mkdir(dirname(flags.json), { recursive: true });
  await writeFile(flags.json, `${JSON.stringify(report, null, 2)}\n`);
}

function tera(value: number | null): string {
  return value === null ? 'none' : (value / 1e12).toFixed(3);
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
