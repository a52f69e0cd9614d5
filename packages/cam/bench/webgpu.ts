import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DeviceError, numpyRandom, openDevice, sweep, tensor, uniformTensor, webgpuEngine } from '@cambium/gpu-kernels';
import { requireAgreement, timeOf } from '../../gpu-kernels/bench/agreement.ts';
import { exact, FACTORS, multiplyAdd, multiplyAddFlops } from '../../gpu-kernels/bench/ceilings.ts';
import { selectSoftwareDriver } from '../../gpu-kernels/test/support/software-gpu.ts';
import { rules } from '../src/backward/rules/index.ts';
import { webgpuClassifier } from '../src/classifiers/webgpu.ts';
import { resolveLayer } from '../src/layers.ts';
import { readModel } from '../src/onnx/read.ts';
import type { Classifier } from '../src/types.ts';
import { differenceOf, image, masked, recordedLogits, recordedMasked } from './recorded.ts';

// pnpm bench webgpu [--software] [--batches 32,128] [--precisions f32,f16] [--masks 2048] [--json FILE]: the embedded network on
// this machine's GPU. Numbers are held to ONNX Runtime's first (those of recorded.ts, so that it need not be here); then masked
// forward passes, a Score-CAM map and walks are timed, beside what the GPU can do. Rows are those of bench/peers.

/** Additions and multiplications of one forward pass of ResNet-50 at 224². */
const FLOPS = 8.17e9;
const ALLOWED = { f32: 1e-3, f16: 2e-2 } as const;

const { values: flags } = parseArgs({
  options: {
    software: { type: 'boolean', default: false },
    batches: { type: 'string', default: '32,64,128,256' },
    precisions: { type: 'string', default: 'f32,f16' },
    masks: { type: 'string', default: '2048' },
    model: { type: 'string', default: 'models/resnet50-textures10.onnx' },
    json: { type: 'string' },
  },
});
const batches = flags.batches.split(',').map(Number);
const precisions = flags.precisions.split(',').map((name) => {
  if (name === 'f32' || name === 'f16') return name;
  console.error(`--precisions takes f32 and f16, got "${name}".`);
  return process.exit(2);
});
const masks = Number(flags.masks);
if (flags.software) selectSoftwareDriver();
using opened = await openDevice({ prefer: flags.software ? 'software' : 'hardware' }).catch((error: unknown) => {
  if (!(error instanceof DeviceError)) throw error;
  console.error(
    `${error.message}\nTo try the benchmark in software: pnpm bench webgpu --software --batches 1 --masks 4`,
  );
  return process.exit(2);
});
const graph = readModel(await readFile(flags.model));
const device = `${opened.adapter.description || opened.adapter.device}${opened.software ? ' (software)' : ''}`;
const peak = await peakFlops();
console.log(
  `${device}: ${(peak / 1e12).toFixed(3)} TFLOP/s of fused multiply-adds; features: ${opened.features.join(', ')}`,
);
const rows: object[] = [];
for (const precision of precisions) {
  for (const batch of batches) await measure(precision, batch);
}

async function measure(precision: 'f32' | 'f16', batch: number): Promise<void> {
  await using classifier = webgpuClassifier(graph, opened, { precision, maxBatch: batch });
  const largestDifference = Math.max(
    differenceOf(await classifier.predict(image), recordedLogits),
    differenceOf(await classifier.predictVariants(masked(4)), recordedMasked),
  );
  if (!(largestDifference <= ALLOWED[precision])) {
    console.error(`${precision}: logits differ by ${largestDifference} of the largest; nothing was timed.`);
    process.exitCode = 1;
    return;
  }
  const request = { ...masked(masks), classifier, batch };
  await sweep({ ...request, inputs: masked(Math.min(masks, 2 * batch)).inputs }); // plans and compiles
  const start = performance.now();
  await sweep(request);
  const seconds = (performance.now() - start) / 1000;
  const speed = masks / seconds;
  const walks = batch === batches[0] && precision === 'f32' ? await walkTimes(classifier) : {};
  const row = {
    what: 'cambium',
    precision,
    batch,
    device,
    maskedForwardsPerSecond: speed,
    msPerMap: 1000 * seconds * (2048 / masks),
    teraflopsPerSecond: (speed * FLOPS) / 1e12,
    ofPeak: (speed * FLOPS) / peak,
    largestDifference,
    ...walks,
    node: process.versions.node,
    features: opened.features,
  };
  rows.push(row);
  console.log(
    `${precision} batch ${batch}: ${speed.toFixed(1)} masked forwards/s, ${row.msPerMap.toFixed(0)} ms for a map of 2,048 channels, ${(100 * row.ofPeak).toFixed(1)} % of the f32 peak, logits within ${largestDifference.toExponential(1)}`,
  );
  if (flags.json) await writeFile(flags.json, `${JSON.stringify({ schema: 'cambium-peers/1', rows }, null, 2)}\n`);
}

/** Milliseconds that forward pass and walk to layer2 take for an image. */
async function walkTimes(classifier: Classifier): Promise<{ readonly [name: string]: number }> {
  const count = opened.software ? 1 : 16;
  const images = uniformTensor(numpyRandom(3), [count, 3, 224, 224], -2, 2);
  const layer = resolveLayer(graph, 'layer2');
  const times: { [name: string]: number } = {};
  for (const rule of ['gradient', 'zPlus'] as const) {
    const one = rules[rule].start(classifier.classes, 0);
    const start = tensor(Array.from({ length: count }, () => [...one]).flat(), [count, one.length]);
    const walk = () => classifier.backward(images, layer, rule, start);
    await walk();
    const began = performance.now();
    await walk();
    times[`${rule}Ms`] = (performance.now() - began) / count;
  }
  return times;
}

async function peakFlops(): Promise<number> {
  using engine = webgpuEngine(opened.device);
  const rounds = 512;
  const numbers = exact(uniformTensor(numpyRandom(1), [opened.software ? 2 ** 14 : 2 ** 22]));
  const subject = { kernel: multiplyAdd, inputs: { input: numbers, factors: FACTORS }, options: { rounds } };
  await requireAgreement(engine, subject);
  return multiplyAddFlops(numbers.shape, rounds) / (await timeOf(engine, subject, { rounds: 5, batchSeconds: 0.01 }));
}
