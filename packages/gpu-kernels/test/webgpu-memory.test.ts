import { expect, test } from 'vitest';
import {
  type AnyKernel,
  add,
  filled,
  KernelError,
  multiply,
  numpyRandom,
  positivePart,
  ShapeError,
  subtract,
  uniformTensor,
  upsampleBilinear,
  webgpuEngine,
  zeros,
} from '../src/index.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

describeGpu('memory of webgpuEngine', ({ open }) => {
  const shared = sharedDevice(open);

  test('a scope frees what it does not return', async () => {
    using engine = webgpuEngine(shared.device);
    const kept = engine.scope(() => {
      const input = engine.upload(filled(2, 64));
      const inner = engine.scope(() => engine.run(multiply, { left: input, right: input }, undefined));
      return engine.run(add, { left: inner, right: input }, undefined);
    });
    expect(engine.memory()).toEqual({ used: 256, pooled: 512, peak: 768, readBack: 0, upload: 0 });
    expect((await engine.download(kept)).data[63]).toBe(6);
    engine.release(kept);
    expect(engine.memory()).toEqual({ used: 0, pooled: 768, peak: 768, readBack: 256, upload: 0 });
    expect(() => engine.run(positivePart, { input: kept }, undefined)).toThrow(/memory was given back/);
  });

  test('a scope whose work throws frees everything', () => {
    using engine = webgpuEngine(shared.device);
    const failing = () =>
      engine.scope(() => engine.run(add, { left: engine.upload(zeros(3)), right: engine.upload(zeros(2)) }, undefined));
    expect(failing).toThrow(ShapeError);
    expect(engine.memory().used).toBe(0);
  });

  test('a thousand runs and downloads leave as many bytes as one', async () => {
    using engine = webgpuEngine(shared.device);
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
    using engine = webgpuEngine(shared.device);
    const sums = [];
    for (let value = 0; value < 300; value++) {
      const input = engine.upload(filled(value, 4)); // the same buffer every time
      sums.push(engine.run(add, { left: input, right: input }, undefined));
      engine.release(input);
    }
    const numbers = await Promise.all(sums.map(async (sum) => (await engine.download(sum)).data[3]));
    expect(numbers).toEqual(Array.from({ length: 300 }, (_, value) => 2 * value));
  });

  test('runs whose buffers were trimmed, or change places, compute from the new ones', async () => {
    using engine = webgpuEngine(shared.device);
    const difference = async (left: number, right: number) => {
      const [first, second] = [engine.upload(filled(left, 4)), engine.upload(filled(right, 4))];
      const result = engine.run(subtract, { left: first, right: second }, undefined);
      const { data } = await engine.download(result);
      engine.release(result, ...(left % 2 ? [first, second] : [second, first])); // what came last is handed out first
      return data[3];
    };
    for (let left = 1; left < 9; left++) expect(await difference(left, 10)).toBe(left - 10);
    engine.trim();
    expect(engine.memory().pooled).toBe(0);
    for (let left = 1; left < 9; left++) expect(await difference(left, 10)).toBe(left - 10);
  });

  test('a limit is kept by destroying what waits for reuse, then by refusing', async () => {
    using engine = webgpuEngine(shared.device, { memoryLimit: 4096 });
    const first = engine.upload(zeros(512));
    engine.release(first);
    const second = engine.upload(filled(1, 700)); // 2816 bytes: no room for both
    expect(engine.memory()).toEqual({ used: 2816, pooled: 0, peak: 2816, readBack: 0, upload: 0 });
    expect(() => engine.run(positivePart, { input: second }, undefined)).toThrow(
      /^positivePart\(\[700\]\) needs 2816 bytes more than the 2816 in use, and the memory limit is 4096 bytes\./,
    );
    expect((await engine.download(second)).data[699]).toBe(1);
  });

  test('too much for the device is an error that names the run, and the engine goes on', async (context) => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(filled(1, 1, 2, 2));
    const rest = [];
    let error: unknown;
    const side = Math.floor(Math.sqrt(shared.device.limits.maxStorageBufferBindingSize / 4));
    const size = [side, side] as const;
    while (!error) {
      // a software driver may promise more than the machine has, and a large GPU has work of others to do
      if (rest.length * 4 * side ** 2 > 8e9) context.skip('the device has more than 8 GB');
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
    await expect(engine.download(rest.at(-1)!)).rejects.toBe(error); // the run that failed was the last
    engine.release(...rest);
    expect(await engine.download(input)).toEqual(filled(1, 1, 2, 2));
  });
});
