import { expect, test } from 'vitest';
import {
  compute,
  conv2d,
  mapNamed,
  matmul,
  numpyRandom,
  positivePart,
  reshape,
  tensor,
  uniformTensor,
  upsampleBilinear,
  webgpuEngine,
  zeros,
} from '../src/index.ts';
import { normalisedError } from './support/agreement.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

const plain = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 } as const;

describeGpu('limits of webgpuEngine', ({ open }) => {
  const shared = sharedDevice(open);

  test('a grid longer than the device allows is folded', async () => {
    using engine = webgpuEngine(shared.device);
    const count = 64 * shared.device.limits.maxComputeWorkgroupsPerDimension + 65;
    const input = tensor(
      Float32Array.from({ length: count }, (_, index) => (index % 2 ? index : -1)),
      [count],
    );
    const { data } = await engine.download(engine.run(positivePart, { input: engine.upload(input) }, undefined));
    for (const index of [0, 1, count - 66, count - 2, count - 1]) expect(data[index]).toBe(index % 2 ? index : 0);
  });

  test('tensors larger than a binding are computed a few rows at a time', async () => {
    using engine = webgpuEngine(shared.device, { bindingLimit: 4096 });
    const random = numpyRandom(2);
    const inputs = {
      input: uniformTensor(random, [9, 2, 5, 8]),
      weights: uniformTensor(random, [3, 2, 3, 3]),
      bias: uniformTensor(random, [3]),
    };
    const uploaded = mapNamed(conv2d.inputs, (name) => engine.upload(inputs[name]));
    const maps = await engine.download(engine.run(conv2d, uploaded, plain)); // 4320 bytes: eight rows, then one
    const expected = compute(conv2d, inputs, plain);
    expect(maps.shape).toEqual([9, 3, 5, 8]);
    expect(normalisedError(maps.data, expected.data)).toBeLessThan(1e-12); // float32
  });

  test('what cannot be cut is refused with the name of the limit', () => {
    using engine = webgpuEngine(shared.device, { bindingLimit: 4096 });
    const input = engine.upload(zeros(2, 600));
    expect(() => engine.run(reshape, { input }, { shape: [2, 30, 20] })).toThrow(
      'reshape([2, 600]) binds 4800 bytes at once, but maxStorageBufferBindingSize is 4096, and this kernel cannot be run a few rows at a time. Use a smaller batch.',
    );
    const right = engine.upload(zeros(600, 2)); // not a row of the product depends on a part of it
    expect(() => engine.run(matmul, { left: input, right }, {})).toThrow(/maxStorageBufferBindingSize is 4096\. Use/);
    expect(engine.memory().used).toBe(5120 * 2);
  });

  test('a tensor larger than any buffer is refused with the name of the limit', () => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(zeros(1, 1, 1));
    const side = Math.ceil(Math.sqrt(shared.device.limits.maxBufferSize / 4)) + 1;
    expect(() => engine.run(upsampleBilinear, { input }, { size: [side, side], convention: 'half-pixel' })).toThrow(
      /^upsampleBilinear\(\[1, 1, 1\]\) (needs a buffer of \d+ bytes, but maxBufferSize|binds \d+ bytes)/,
    );
  });

  test('a run that is refused leaves no memory behind', () => {
    using engine = webgpuEngine(shared.device, { workgroupLimit: 2 });
    const input = engine.upload(zeros(640));
    const { used } = engine.memory();
    expect(() => engine.run(positivePart, { input }, undefined)).toThrow(
      /^positivePart\(\[640\]\) needs a grid of 10×1×1 workgroups, but maxComputeWorkgroupsPerDimension is 2\./,
    );
    expect(engine.memory().used).toBe(used);
  });

  test('tensors without numbers are refused', () => {
    using engine = webgpuEngine(shared.device);
    expect(() => engine.upload(zeros(2, 0, 3))).toThrow(/expected tensors of at least one number, got \[2, 0, 3\]/);
  });
});
