import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AnyKernel,
  add,
  compute,
  conv2d,
  DeviceLostError,
  filled,
  KernelError,
  mapNamed,
  maskImages,
  matmul,
  multiply,
  numpyRandom,
  type OpenedDevice,
  positivePart,
  reshape,
  ShapeError,
  sweep,
  tensor,
  uniformTensor,
  upsampleBilinear,
  variantPredictor,
  webgpuEngine,
  zeros,
} from '../src/index.ts';
import { normalisedError } from './support/agreement.ts';
import { describeGpu } from './support/describe-gpu.ts';

const plain = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 } as const;

describeGpu('webgpuEngine', ({ open }) => {
  let opened: OpenedDevice;
  let device: GPUDevice;
  beforeAll(async () => {
    opened = await open();
    device = opened.device;
  });
  afterAll(() => opened.close());

  test('runs kernels one after another', async () => {
    using engine = webgpuEngine(device);
    const left = engine.upload(tensor([1, -2, 3, -4], [2, 2]));
    const sum = engine.run(add, { left, right: engine.upload(tensor([1], [])) }, undefined);
    expect(await engine.download(engine.run(positivePart, { input: sum }, undefined))).toEqual(
      tensor([2, 0, 4, 0], [2, 2]),
    );
    expect(await engine.download(sum)).toEqual(tensor([2, -1, 4, -3], [2, 2])); // once more, in any order
  });

  test('computes a sweep as the reference does, in batches with a short last one', async () => {
    using engine = webgpuEngine(device);
    const random = numpyRandom(4);
    const inputs = { image: uniformTensor(random, [1, 3, 6, 5]), activations: uniformTensor(random, [7, 2, 3]) };
    const options = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 } as const;
    const classifier = variantPredictor(engine, async (batch) =>
      tensor(
        batch.data.filter((_, index) => index % 90 < 2),
        [batch.shape[0], 2],
      ),
    );
    const logits = await sweep({ classifier, kernel: maskImages, inputs, rows: 'activations', options, batch: 3 });
    const masked = compute(maskImages, inputs, options);
    expect(
      normalisedError(
        logits.data,
        masked.data.filter((_, index) => index % 90 < 2),
      ),
    ).toBeLessThan(1e-12); // float32
    expect(engine.memory().used).toBe(0);
  });

  describe('memory', () => {
    test('a scope frees what it does not return', async () => {
      using engine = webgpuEngine(device);
      const kept = engine.scope(() => {
        const input = engine.upload(filled(2, 64));
        const inner = engine.scope(() => engine.run(multiply, { left: input, right: input }, undefined));
        return engine.run(add, { left: inner, right: input }, undefined);
      });
      expect(engine.memory()).toEqual({ used: 256, pooled: 512, peak: 768 });
      expect((await engine.download(kept)).data[63]).toBe(6);
      engine.release(kept);
      expect(engine.memory()).toEqual({ used: 0, pooled: 768, peak: 768 });
      expect(() => engine.run(positivePart, { input: kept }, undefined)).toThrow(/memory was given back/);
    });

    test('a scope whose work throws frees everything', () => {
      using engine = webgpuEngine(device);
      const failing = () =>
        engine.scope(() =>
          engine.run(add, { left: engine.upload(zeros(3)), right: engine.upload(zeros(2)) }, undefined),
        );
      expect(failing).toThrow(ShapeError);
      expect(engine.memory().used).toBe(0);
    });

    test('a thousand runs and downloads leave as many bytes as one', async () => {
      using engine = webgpuEngine(device);
      const image = uniformTensor(numpyRandom(1), [1, 3, 8, 9]);
      const once = async (count: number) => {
        const result = engine.scope(() => engine.run(positivePart, { input: engine.upload(image) }, undefined));
        if (count % 10 === 0) await engine.download(result);
        engine.release(result);
      };
      await once(0);
      const before = engine.memory();
      for (let count = 0; count < 1000; count++) await once(count);
      await engine.finished();
      expect(engine.memory()).toEqual(before);
    });

    test('memory that is reused holds the new numbers, also while its old use is still recorded', async () => {
      using engine = webgpuEngine(device);
      const sums = [];
      for (let value = 0; value < 300; value++) {
        const input = engine.upload(filled(value, 4)); // the same buffer every time
        sums.push(engine.run(add, { left: input, right: input }, undefined));
        engine.release(input);
      }
      const numbers = await Promise.all(sums.map(async (sum) => (await engine.download(sum)).data[3]));
      expect(numbers).toEqual(Array.from({ length: 300 }, (_, value) => 2 * value));
    });

    test('a limit is kept by destroying what waits for reuse, then by refusing', async () => {
      using engine = webgpuEngine(device, { memoryLimit: 4096 });
      const first = engine.upload(zeros(512));
      engine.release(first);
      const second = engine.upload(filled(1, 700)); // 2816 bytes: no room for both
      expect(engine.memory()).toEqual({ used: 2816, pooled: 0, peak: 2816 });
      expect(() => engine.run(positivePart, { input: second }, undefined)).toThrow(
        /^positivePart\(\[700\]\) needs 2816 bytes more than the 2816 in use, and the memory limit is 4096 bytes\./,
      );
      expect((await engine.download(second)).data[699]).toBe(1);
    });

    test('too much for the device is an error that names the run, and the engine goes on', async () => {
      using engine = webgpuEngine(device);
      const input = engine.upload(filled(1, 1, 2, 2));
      const rest = [];
      let error: unknown;
      for (let count = 0; count < 400 && !error; count++) {
        const side = Math.floor(Math.sqrt(device.limits.maxStorageBufferBindingSize / 4));
        const size = [side, side] as const;
        const huge: AnyKernel = {
          ...upsampleBilinear,
          plan: (...of) => ({ ...upsampleBilinear.plan(...of), workgroups: [1, 1, 1] }),
        };
        rest.push(engine.run(huge, { input }, { size, convention: 'half-pixel' }));
        error = await engine.finished().catch((reason: unknown) => reason);
      }
      expect(error).toBeInstanceOf(KernelError);
      expect(String(error)).toMatch(
        /^KernelError: memory for upsampleBilinear\(\[1, 2, 2\]\), \d+ bytes, failed .*out-of-memory/,
      );
      engine.release(...rest);
      expect(await engine.download(input)).toEqual(filled(1, 1, 2, 2));
    });
  });

  describe('limits', () => {
    test('a grid longer than the device allows is folded', async () => {
      using engine = webgpuEngine(device);
      const count = 64 * device.limits.maxComputeWorkgroupsPerDimension + 65;
      const input = tensor(
        Float32Array.from({ length: count }, (_, index) => (index % 2 ? index : -1)),
        [count],
      );
      const { data } = await engine.download(engine.run(positivePart, { input: engine.upload(input) }, undefined));
      for (const index of [0, 1, count - 66, count - 2, count - 1]) expect(data[index]).toBe(index % 2 ? index : 0);
    });

    test('tensors larger than a binding are computed a few rows at a time', async () => {
      using engine = webgpuEngine(device, { bindingLimit: 4096 });
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
      using engine = webgpuEngine(device, { bindingLimit: 4096 });
      const input = engine.upload(zeros(2, 600));
      expect(() => engine.run(reshape, { input }, { shape: [2, 30, 20] })).toThrow(
        'reshape([2, 600]) binds 4800 bytes at once, but maxStorageBufferBindingSize is 4096, and this kernel cannot be run a few rows at a time. Use a smaller batch.',
      );
      const right = engine.upload(zeros(600, 2)); // not a row of the product depends on a part of it
      expect(() => engine.run(matmul, { left: input, right }, {})).toThrow(/maxStorageBufferBindingSize is 4096\. Use/);
      expect(engine.memory().used).toBe(5120 * 2);
    });

    test('a tensor larger than any buffer is refused with the name of the limit', () => {
      using engine = webgpuEngine(device);
      const input = engine.upload(zeros(1, 1, 1));
      const side = Math.ceil(Math.sqrt(device.limits.maxBufferSize / 4)) + 1;
      expect(() => engine.run(upsampleBilinear, { input }, { size: [side, side], convention: 'half-pixel' })).toThrow(
        /^upsampleBilinear\(\[1, 1, 1\]\) (needs a buffer of \d+ bytes, but maxBufferSize|binds \d+ bytes)/,
      );
    });

    test('tensors without numbers are refused', () => {
      using engine = webgpuEngine(device);
      expect(() => engine.upload(zeros(2, 0, 3))).toThrow(/expected tensors of at least one number, got \[2, 0, 3\]/);
    });
  });

  describe('errors', () => {
    test('a program that does not compile is reported by the next download, once', async () => {
      using engine = webgpuEngine(device);
      const broken: AnyKernel = { ...positivePart, name: 'broken', wgsl: 'this is not WGSL' };
      const input = engine.upload(filled(-1, 2));
      const output = engine.run(broken, { input }, undefined);
      const first = await engine.download(output).catch((reason: unknown) => reason);
      expect(first).toBeInstanceOf(KernelError);
      expect(first).toMatchObject({ kind: 'validation', run: 'The program of broken' });
      expect((await engine.download(input)).data[0]).toBe(-1);
    });

    test('every download that is under way when an error appears rejects', async () => {
      using engine = webgpuEngine(device);
      const broken: AnyKernel = { ...positivePart, name: 'broken', wgsl: 'nor is this' };
      const output = engine.run(broken, { input: engine.upload(zeros(2)) }, undefined);
      const results = await Promise.allSettled([engine.download(output), engine.download(output)]);
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    });

    test('a resident of another engine is refused', () => {
      using engine = webgpuEngine(device);
      using other = webgpuEngine(device);
      const input = other.upload(zeros(2));
      expect(() => engine.run(positivePart, { input }, undefined)).toThrow(/resident of another engine/);
    });

    test('after disposal everything is refused, and what was pending rejects', async () => {
      const engine = webgpuEngine(device);
      const input = engine.upload(zeros(2));
      const pending = engine.download(input);
      engine.dispose();
      await expect(pending).rejects.toThrow('webgpuEngine is disposed of; open another.');
      expect(() => engine.upload(zeros(2))).toThrow(/disposed of/);
      expect(engine.memory()).toMatchObject({ used: 0, pooled: 0 });
      engine.dispose(); // a second time changes nothing
    });
  });

  describe('devices', () => {
    test('two engines compute at once, on one device and on two', async () => {
      using another = await open();
      using first = webgpuEngine(device);
      using second = webgpuEngine(device);
      using third = webgpuEngine(another.device);
      const results = [first, second, third].map(async (engine, index) => {
        let resident = engine.upload(filled(index, 33));
        for (let count = 0; count < 150; count++) {
          resident = engine.scope(() =>
            engine.run(add, { left: resident, right: engine.upload(tensor([1], [1])) }, undefined),
          );
        }
        return (await engine.download(resident)).data[32];
      });
      expect(await Promise.all(results)).toEqual([150, 151, 152]);
    });

    test('when the device is lost, what is pending rejects, later calls throw, and another can be opened', async () => {
      const lost = await open();
      using engine = webgpuEngine(lost.device);
      const input = engine.upload(filled(3, 64));
      const pending = [
        engine.download(input),
        engine.download(engine.run(positivePart, { input }, undefined)),
        engine.finished(),
      ];
      lost.close();
      for (const result of await Promise.allSettled(pending)) {
        expect(result).toMatchObject({ status: 'rejected', reason: { name: 'DeviceLostError', reason: 'destroyed' } });
      }
      expect(() => engine.upload(zeros(2))).toThrow(DeviceLostError);
      expect(() => engine.run(positivePart, { input }, undefined)).toThrow(
        /lost its device \(destroyed.*openDevice\(\)/,
      );
      await expect(engine.download(input)).rejects.toThrow(DeviceLostError);

      using reopened = await open();
      using next = webgpuEngine(reopened.device);
      expect((await next.download(next.upload(filled(3, 2)))).data[1]).toBe(3);
    });
  });
});
