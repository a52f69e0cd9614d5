import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AnyKernel,
  filled,
  KernelError,
  type OpenedDevice,
  positivePart,
  webgpuEngine,
  zeros,
} from '../src/index.ts';
import { describeGpu } from './support/describe-gpu.ts';

describeGpu('errors of webgpuEngine', ({ open }) => {
  let opened: OpenedDevice;
  let device: GPUDevice;
  beforeAll(async () => {
    opened = await open();
    device = opened.device;
  });
  afterAll(() => opened.close());

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
