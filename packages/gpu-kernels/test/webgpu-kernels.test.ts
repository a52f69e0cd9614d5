import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AnyKernel,
  type KernelName,
  kernels,
  mapNamed,
  type Named,
  numpyRandom,
  type OpenedDevice,
  type Tensor,
} from '../src/index.ts';
import { GpuEngine } from '../src/webgpu-engine.ts';
import { normalisedError, referenceOf } from './support/agreement.ts';
import { describeGpu } from './support/describe-gpu.ts';
import { GuardedMemory } from './support/guarded-memory.ts';
import { randomRuns } from './support/random-runs.ts';

describeGpu('WGSL', ({ open }) => {
  let opened: OpenedDevice;
  let memory: GuardedMemory;
  let engine: GpuEngine;
  beforeAll(async () => {
    // without robustness, indices past the end of a tensor are not clamped: they reach the guards
    opened = await open({ toggles: { enable: ['disable_robustness'] } });
    memory = new GuardedMemory(opened.device);
    engine = new GpuEngine(opened.device, {}, memory);
  });
  afterAll(() => {
    engine.dispose();
    opened.close();
  });

  async function run(kernel: AnyKernel, inputs: Named<string, Tensor>, options: unknown): Promise<Tensor> {
    const uploaded = mapNamed(kernel.inputs, (name) => engine.upload(inputs[name]));
    return engine.download(engine.run(kernel, uploaded, options));
  }

  async function expectAgreement(kernel: AnyKernel, inputs: Named<string, Tensor>, options: unknown): Promise<void> {
    const actual = await run(kernel, inputs, options);
    const expected = referenceOf(kernel, inputs, options);
    expect(actual.shape).toEqual(expected.shape);
    expect(normalisedError(actual.data, expected.data)).toBeLessThanOrEqual(kernel.tolerance ?? 1e-7);
    expect(await memory.overruns()).toBe(0);
  }

  describe.each(Object.keys(kernels) as KernelName[])('%s', (name) => {
    const kernel: AnyKernel = kernels[name];

    test('says the same as the reference loops and writes nowhere else', async () => {
      for (const [inputs, options] of kernel.samples(numpyRandom(5))) await expectAgreement(kernel, inputs, options);
    });

    test('so it does on random shapes', async () => {
      const property = fc.asyncProperty(randomRuns(name), ({ inputs, options }) =>
        expectAgreement(kernel, inputs, options),
      );
      await fc.assert(property, { seed: 19, numRuns: 30 });
    });
  });

  test('the guards notice a program that writes past its end', async () => {
    const careless: AnyKernel = {
      ...kernels.positivePart,
      wgsl: String(kernels.positivePart.wgsl).replace('if (index >= u.count) { return; }', ''),
    };
    await run(careless, { input: { data: new Float32Array(7), shape: [7] } }, undefined);
    expect(await memory.overruns()).toBe(57); // of the workgroup's 64 invocations 7 had something to do
  });

  test('the sentinel notices a program that leaves something out', async () => {
    const lazy: AnyKernel = {
      ...kernels.positivePart,
      wgsl: String(kernels.positivePart.wgsl).replace('index >= u.count', 'index + 1u >= u.count'),
    };
    const { data } = await run(lazy, { input: { data: new Float32Array(3), shape: [3] } }, undefined);
    expect([...data]).toEqual([0, 0, Number.NaN]);
    await memory.overruns();
  });
});
