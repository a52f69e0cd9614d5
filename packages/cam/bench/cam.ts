import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { compute, maskImages, numpyRandom, type Tensor, tensor, uniformTensor } from '@cambium/gpu-kernels';
import * as ort from 'onnxruntime-node';
import {
  calibrate,
  int8Classifier,
  loadModel,
  ortClassifier,
  resolveLayer,
  rules,
  scoreCamVariants,
} from '../src/index.ts';
import { writeModel } from '../src/onnx/write.ts';

// What everything around the forward pass costs, as ratios to ONNX Runtime's own forward pass of the same batch in the
// same run. Each pair is measured in turns, so a load on the machine hits both sides; the median ratio is printed.

const BATCH = 16;
const ROUNDS = 7;
const model = fileURLToPath(new URL('../../../models/resnet50-textures10.onnx', import.meta.url));

const graph = await loadModel(model);
const random = numpyRandom(1);
const images = uniformTensor(random, [BATCH, 3, 224, 224], -2, 2);
const raw = await ort.InferenceSession.create(writeModel(graph, { outputs: [graph.logits] }));
const classifier = ortClassifier(graph);
const layer2 = resolveLayer(graph, 'layer2');

/** ONNX Runtime alone, on the network with float32 weights: its fast form. */
async function rawForward(batch: Tensor): Promise<Float32Array> {
  const results = await raw.run({ [graph.input.name]: new ort.Tensor('float32', batch.data, batch.shape) });
  return results[graph.logits].data as Float32Array; // logits are float32
}

const { mask } = scoreCamVariants.author;
const image = tensor(images.data.slice(0, 3 * 224 * 224), [1, 3, 224, 224]);
const { layers } = await classifier.values(image, [resolveLayer(graph, 'layer4')]);
const activations = tensor(Object.values(layers)[0].data.slice(0, BATCH * 49), [BATCH, 7, 7]);
const variants = { kernel: maskImages, inputs: { image, activations }, rows: 'activations' as const, options: mask };
const masked = (): Promise<Tensor> => classifier.predictVariants(variants);
const int8 = int8Classifier(graph, await calibrate(graph, [images]));

console.log(
  `${cpus()[0].model.trim()}, ${cpus().length} logical cores; Node ${process.versions.node}; batch ${BATCH}; ${ROUNDS} rounds`,
);
await checkAgreement();
const plain = () => rawForward(images);
const forward = await ratio('forward through the classifier', () => classifier.predict(images), plain);
const masks = await ratio('masked forward of Score-CAM', masked, plain);
const gradient = await ratio('forward + gradient at layer2', () => walked('gradient'), plain);
const relevance = await ratio('forward + zPlus at layer2', () => walked('zPlus'), plain);
const rounded = await ratio('int8 forward', () => int8.predict(images), plain);
const roundedMasks = await ratio('int8 masked forward of Score-CAM', () => int8.predictVariants(variants), plain);
await int8.close();
await classifier.close();
await raw.release();
const peak = await peakOfScoreCam();

console.log('\n                                      in forward passes   target');
report('forward through the classifier', forward, 'at most 1.05');
report(
  'masked forward of Score-CAM',
  masks,
  `at most ${(1 / 0.95).toFixed(3)} (0.95 of ORT’s rate); rate ${(1 / masks).toFixed(3)}`,
);
report('forward + gradient at layer2', gradient, 'at most 2');
report('forward + zPlus at layer2', relevance, 'at most 3');
report('int8 forward', rounded, `no target; ${(1 / rounded).toFixed(2)} times as fast`);
report('int8 masked forward of Score-CAM', roundedMasks, `no target; ${(1 / roundedMasks).toFixed(2)} times as fast`);
console.log(`peak memory, Score-CAM of 2,048 channels: ${peak.toFixed(0)} MB   (at most 1500)`);

function walked(rule: 'gradient' | 'zPlus'): Promise<unknown> {
  const starts = Array.from({ length: BATCH }, () => [...rules[rule].start(classifier.classes, 0)]);
  return classifier.backward(images, layer2, rule, tensor(starts.flat(), [BATCH, classifier.classes]));
}

/** A benchmark of wrong numbers is worth nothing: the traced masks must give the logits of masks made in plain loops. */
async function checkAgreement(): Promise<void> {
  const expected = await rawForward(compute(maskImages, { image, activations }, mask));
  const { data } = await masked();
  const difference = data.reduce((worst, value, index) => Math.max(worst, Math.abs(value - expected[index])), 0);
  if (!(difference < 1e-4))
    throw new Error(`Masked logits differ by ${difference} from those of masks made in plain loops.`);
  console.log(`masked logits agree with plain loops: largest difference ${difference.toExponential(1)}`);
}

/** Median over the rounds of the time of `work` in units of the time of `unit`, measured in turns. */
async function ratio(name: string, work: () => Promise<unknown>, unit: () => Promise<unknown>): Promise<number> {
  await work();
  await unit();
  const pairs: [number, number][] = [];
  for (let round = 0; round < ROUNDS; round++) pairs.push([await seconds(work), await seconds(unit)]);
  const [ours, theirs] = [0, 1].map((side) => median(pairs.map((pair) => pair[side])));
  console.log(`${name}: ${(BATCH / ours).toFixed(1)} images/s; ORT’s forward: ${(BATCH / theirs).toFixed(1)} images/s`);
  return median(pairs.map(([a, b]) => a / b));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  globalThis.gc?.();
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function report(name: string, value: number, target: string): void {
  console.log(`${name.padEnd(40)}${value.toFixed(2).padStart(8)}          ${target}`);
}

/** Largest resident memory in MB while one whole Score-CAM runs at layer4, in a process that does nothing else. */
async function peakOfScoreCam(): Promise<number> {
  const { spawnSync } = await import('node:child_process');
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--conditions=source', fileURLToPath(new URL('./score-cam-memory.ts', import.meta.url)), model],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (status !== 0) throw new Error('The memory measurement failed.');
  return Number(stdout.trim());
}
