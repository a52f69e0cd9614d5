import { numpyRandom, type OpenedDevice, uniformTensor } from '@cambium/gpu-kernels';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { openNull } from '../../gpu-kernels/test/support/null-device.ts';
import { masked } from '../bench/recorded.ts';
import { forwardBytes } from '../src/classifiers/choose-batch.ts';
import { chooseBatch, ortClassifier, rules, webgpuClassifier } from '../src/index.ts';
import { relativeDifference } from './support/compare.ts';
import { embeddedModel } from './support/embedded-model.ts';
import { tinyResnet } from './support/tiny-resnet.ts';

const gpu = (maxBufferSize: number) => ({ software: false, limits: { maxBufferSize } });

describe('the batch of a ResNet-50', async () => {
  const graph = await embeddedModel();
  const { largest, alive, weights } = forwardBytes(graph);

  test('is counted in the bytes that an image takes', () => {
    expect(largest).toBe(4 * 64 * 112 * 112); // the stem's output, and layer1's with 256 × 56 × 56
    expect(alive).toBeGreaterThan(2 * largest); // a convolution's input and output
    expect(alive).toBeLessThan(3 * largest);
    expect(weights).toBeGreaterThan(94e6); // 23.5 million numbers
    expect(weights).toBeLessThan(96e6);
  });

  test('takes half as many in half precision, but for the image itself', () => {
    const half = forwardBytes(graph, 'f16');
    expect(half.largest).toBe(largest / 2);
    expect(half.alive).toBeGreaterThan(2 * half.largest);
    expect(half.alive).toBeLessThan(3 * half.largest);
    expect(half.weights).toBeGreaterThan(47e6); // those of the last layer stay float32
    expect(half.weights).toBeLessThan(49e6);
  });

  test.each([
    ['a large GPU', gpu(2 ** 32), {}, 128],
    ['buffers of 256 MiB, the least that WebGPU promises', gpu(2 ** 28), {}, 64],
    ['buffers of 16 MiB', gpu(2 ** 24), {}, 4],
    ['buffers that hold no tensor of one image', gpu(2 ** 20), {}, 1],
    ['1 GB of memory', gpu(2 ** 32), { memoryLimit: 1e9 }, 64],
    ['200 MB of memory', gpu(2 ** 32), { memoryLimit: 2e8 }, 8],
    ['less memory than the weights take', gpu(2 ** 32), { memoryLimit: 5e7 }, 1],
    ['a large GPU in half precision', gpu(2 ** 32), { precision: 'f16' }, 256],
    ['buffers of 256 MiB, in half precision', gpu(2 ** 28), { precision: 'f16' }, 128],
    ['1 GB of memory, in half precision', gpu(2 ** 32), { memoryLimit: 1e9, precision: 'f16' }, 128],
    ['a software adapter', { ...gpu(2 ** 32), software: true }, {}, 8],
    ['a software adapter with little memory', { ...gpu(2 ** 32), software: true }, { memoryLimit: 1.5e8 }, 4],
  ] as const)('suits %s', (_, device, options, expected) => {
    expect(chooseBatch(graph, device, options)).toBe(expected);
  });
});

test('a batch for which the device turns out to have no memory is computed in halves, and so are the next', async () => {
  using opened = await openNull(); // 512 MiB; 64 images take 501 MB beside 94 MB of weights
  await using classifier = webgpuClassifier(await embeddedModel(), opened, { maxBatch: 64 });
  const images = uniformTensor(numpyRandom(1), [64, 3, 224, 224]);
  expect((await classifier.predict(images)).shape).toEqual([64, 10]);
  const [one, two] = [images, images].map((batch) => classifier.predict(batch));
  expect((await one).shape).toEqual((await two).shape);
});

test('nothing is downloaded but the answer, and weights are uploaded once for all questions', async () => {
  using opened = await openNull();
  await using classifier = webgpuClassifier(await embeddedModel(), opened, { maxBatch: 4 });
  const { kernel, inputs, options } = masked(4);
  await classifier.predictVariants({ kernel, inputs, rows: 'activations', options });
  const { used, readBack } = classifier.memory();
  expect(readBack).toBe(256); // 4×10 logits; 256 bytes are the least
  for (const count of [1, 2, 3, 4]) await classifier.predict(uniformTensor(numpyRandom(2), [count, 3, 224, 224]));
  expect(classifier.memory().used).toBeLessThan(1.02 * used); // rows of zeros are each question's own
  expect(classifier.memory().readBack).toBe(256);
});

describeGpu('webgpuClassifier with little memory', ({ open }) => {
  const graph = tinyResnet();
  const images = uniformTensor(numpyRandom(8), [16, 3, 19, 17], -2, 2);
  const { largest, alive, weights } = forwardBytes(graph);
  let opened: OpenedDevice;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test('takes what was counted for its batch, and no more than its limit', async () => {
    await using free = webgpuClassifier(graph, opened, { maxBatch: 16 });
    await free.predict(images);
    const { used, peak } = free.memory();
    expect(used).toBeGreaterThanOrEqual(weights); // rounded up
    expect(peak).toBeGreaterThanOrEqual(16 * alive);
    const memoryLimit = Math.ceil((9 / 8) * (8 * alive + weights)) + 256 * 64; // small tensors take 256 bytes each
    await using bounded = webgpuClassifier(graph, opened, { memoryLimit });
    expect(bounded.batch).toBe(8);
    expect((await bounded.predict(images)).data).toEqual((await free.predict(images)).data);
    expect(bounded.memory().peak).toBeLessThanOrEqual(memoryLimit);
  });

  test('in half precision takes half as many images at once where layers are asked for in float32', async () => {
    const limits = { ...opened.limits, maxBufferSize: 8 * forwardBytes(graph, 'f16').largest };
    expect(limits.maxBufferSize).toBeLessThan(8 * largest);
    await using fours = webgpuClassifier(graph, opened, { maxBatch: 4 });
    await using classifier = webgpuClassifier(graph, { ...opened, limits }, { precision: 'f16' });
    expect(classifier.batch).toBe(8);
    expect(await classifier.values(images, ['block1'])).toEqual(await fours.values(images, ['block1']));
    expect(classifier.memory().peak).toBe(fours.memory().peak);
  });

  test('halves a batch that turns out too large, walks too, and answers the same', async () => {
    await using reference = ortClassifier(graph);
    const memoryLimit = 3 * alive + 2 * weights;
    await using classifier = webgpuClassifier(graph, opened, { memoryLimit, maxBatch: 16 });
    const [ours, theirs] = [await classifier.predict(images), await reference.predict(images)];
    expect(relativeDifference(ours.data, theirs.data)).toBeLessThan(1e-4); // float32, summed in another order
    const one = rules.gradient.start(4, 1);
    const start = { data: Float32Array.from({ length: 64 }, (_, index) => one[index % 4]), shape: [16, 4] };
    const walked = await classifier.backward(images, 'block1', 'gradient', start);
    const expected = await reference.backward(images, 'block1', 'gradient', start);
    expect(relativeDifference(walked.arrived.data, expected.arrived.data)).toBeLessThan(1e-4);
    expect(classifier.memory().peak).toBeLessThanOrEqual(memoryLimit);
  });

  test('says what one image lacks where even that is too much', async () => {
    await using classifier = webgpuClassifier(graph, opened, { memoryLimit: weights, maxBatch: 16 });
    await expect(classifier.predict(images)).rejects.toThrow(/memory limit is \d+ bytes/);
    expect(classifier.memory().used).toBeLessThanOrEqual(weights);
  });
});
