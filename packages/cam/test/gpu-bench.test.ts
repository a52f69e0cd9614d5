import { numpyRandom, type OpenedDevice, rows, sweep, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { matrixCeiling, multiplyAddHalf } from '../../gpu-kernels/bench/half-ceilings.ts';
import { Checks } from '../../gpu-kernels/src/gpu/checks.ts';
import { Programs } from '../../gpu-kernels/src/gpu/programs.ts';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { openNullDevice } from '../../gpu-kernels/test/support/null-device.ts';
import { measureCeilings } from '../bench/device-ceilings.ts';
import { differenceOf, masked } from '../bench/recorded.ts';
import { residentPasses } from '../bench/resident-passes.ts';
import { ofRoofline, stepTimes } from '../bench/step-times.ts';
import { type Variant, variantNames, variantOf } from '../bench/variants.ts';
import { webgpuClassifier } from '../src/classifiers/webgpu.ts';
import { tinyResnet } from './support/tiny-resnet.ts';

const features = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

test('what measures arithmetic in half precision compiles in Dawn', async () => {
  const device = await openNullDevice(features);
  const checks = new Checks(device);
  const programs = new Programs(device, checks);
  const limits = { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 49_152 };
  const matrix = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };
  const host = { limits, features, subgroups: { smallest: 32, largest: 32, matrices: [matrix] } };
  const { kernel, flops } = matrixCeiling(host)!; // the host has such matrices
  expect(flops).toBe(2 * 16 ** 3 * 8 * 8); // eight sums in each of eight subgroups
  programs.of(kernel, kernel.name); // 256 invocations: whole subgroups of the null backend's 128
  programs.of(multiplyAddHalf, multiplyAddHalf.name);
  await checks.settle();
  expect(matrixCeiling({ ...host, features: [] })).toBeUndefined();
  device.destroy();
});

describeGpu('the benchmark of a network', ({ open }) => {
  let opened: OpenedDevice;
  const graph = tinyResnet();
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test('times every step that depends on the images, and names what a perfect program would take', async () => {
    const ceilings = await measureCeilings(opened);
    const images = uniformTensor(numpyRandom(8), [2, 3, 19, 17], -2, 2);
    const variant = (await variantOf('f32', opened, graph, 2)) as Variant; // every device has this one
    const times = await stepTimes({ graph, images }, opened, variant);
    const counted = (name: string) =>
      times.filter(({ kernel }) => kernel === name).reduce((sum, { count }) => sum + count, 0);
    expect(counted('conv2dLastDirect')).toBe(8);
    expect(counted('packFilters')).toBe(0); // weights are packed once for all images
    expect(counted('matmul')).toBe(1);
    const [direct] = times.filter(({ kernel }) => kernel === 'conv2dLastDirect');
    expect(direct.seconds).toBeGreaterThan(0);
    const { flopsPerSecond, bytesPerSecond } = direct;
    expect(flopsPerSecond).toBeGreaterThan(0);
    const [ofArithmetic, ofMemory] = [flopsPerSecond! / ceilings.f32, bytesPerSecond / ceilings.bytesPerSecond];
    expect(ofRoofline(direct, ceilings)).toBe(Math.max(ofArithmetic, ofMemory));
  });

  test('the network alone is swept as masked images are, and answers with the logits of the image', async () => {
    const variant = (await variantOf('f32', opened, graph, 3)) as Variant; // every device has this one
    const image = uniformTensor(numpyRandom(8), [1, 3, 19, 17], -2, 2);
    using network = residentPasses(graph, opened, { variant, image, batch: 3 });
    await using classifier = webgpuClassifier(graph, opened, { ...variant, maxBatch: 3 });
    const [{ data: expected }, logits] = [
      await classifier.predict(image),
      await sweep({ ...masked(7), classifier: network, batch: 3 }),
    ];
    expect(logits.shape).toEqual([7, 4]);
    for (let row = 0; row < 7; row++)
      expect(differenceOf(rows(logits, row, row + 1), tensor(expected, [1, 4]))).toBe(0);
  });

  // what tuning does has tests of its own, and takes a software adapter a minute
  test.each(variantNames.filter((name) => !name.endsWith('-tuned')))(
    'computes it %s, or says that the device cannot',
    async (name) => {
      const variant = await variantOf(name, opened, graph, 1);
      if (typeof variant === 'string') {
        expect(name).toBe('f16-tiles');
        expect(opened.subgroups.matrices).toEqual([]);
        return expect(variant).toContain('no matrices of subgroups');
      }
      expect(variant.precision).toBe(name.slice(0, 3));
      const shape = {
        pixels: 100,
        depth: 72,
        channels: 8,
        options: { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] },
      } as const;
      if (name === 'f32-winograd') expect(variant.convolution(shape).name).toBe('conv2dWinograd');
    },
  );
});
