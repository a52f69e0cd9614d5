import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TileName, tilings } from '../src/channels-last/tile-program.ts';
import { GpuEngine } from '../src/gpu/gpu-engine.ts';
import {
  type AnyKernel,
  conv2dHalfWith,
  conv2dLastWith,
  type KernelName,
  kernels,
  mapNamed,
  numpyRandom,
  type OpenedDevice,
  type Tensor,
  zeros,
} from '../src/index.ts';
import { errorOf, referenceOf } from './support/agreement.ts';
import { describeGpu } from './support/describe-gpu.ts';
import { foldedRuns } from './support/folded-runs.ts';
import { GuardedMemory } from './support/guarded-memory.ts';
import { type RandomRun, randomRuns } from './support/random-runs.ts';

const NARROW = 2;

/** Writes past its end. */
const careless: AnyKernel = {
  ...kernels.positivePart,
  wgsl: String(kernels.positivePart.wgsl).replace('if (index >= u.count) { return; }', ''),
};

/** Every kernel, and the other tiles of convolutions, which compute what those of the registry do. */
const programs: readonly { readonly kernel: AnyKernel; readonly like: KernelName }[] = [
  ...(Object.keys(kernels) as KernelName[]).map((like) => ({ kernel: kernels[like], like })),
  ...(Object.keys(tilings) as TileName[])
    .flatMap((tile) => [
      { kernel: conv2dLastWith(tile), like: 'conv2dLast' as const },
      { kernel: conv2dHalfWith(tile), like: 'conv2dHalf' as const },
    ])
    .filter(({ kernel, like }) => kernel !== kernels[like]),
];

describeGpu('WGSL', ({ open }) => {
  let opened: OpenedDevice;
  let memory: GuardedMemory;
  let engine: GpuEngine;
  let narrow: GpuEngine; // allows so few workgroups along one dimension that small grids are folded
  beforeAll(async () => {
    opened = await open({ robustness: false }); // indices past the end of a tensor are not clamped: they reach the guards
    memory = new GuardedMemory(opened.device);
    engine = new GpuEngine(opened.device, {}, memory);
    narrow = new GpuEngine(opened.device, { workgroupLimit: NARROW }, memory);
  });
  afterAll(() => {
    engine.dispose();
    narrow.dispose();
    opened.close();
  });

  async function run(kernel: AnyKernel, { inputs, options }: RandomRun, on = engine): Promise<Tensor> {
    const uploaded = mapNamed(kernel.inputs, (name) => on.upload(inputs[name]));
    return on.download(on.run(kernel, uploaded, options));
  }

  async function expectAgreement(kernel: AnyKernel, { inputs, options }: RandomRun, on = engine): Promise<void> {
    const actual = await run(kernel, { inputs, options }, on);
    const expected = referenceOf(kernel, inputs, options);
    expect(actual.shape).toEqual(expected.shape);
    expect(errorOf(kernel, actual, expected)).toBeLessThanOrEqual(kernel.tolerance ?? 1e-7);
    expect(await memory.overruns()).toBe(0);
  }

  describe.each(programs)('$kernel.name', ({ kernel, like }) => {
    test('says the same as the reference loops and writes nowhere else', async () => {
      for (const [inputs, options] of kernel.samples(numpyRandom(5)))
        await expectAgreement(kernel, { inputs, options });
    });

    test('so it does on random shapes', async () => {
      const property = fc.asyncProperty(randomRuns(like), (drawn) => expectAgreement(kernel, drawn));
      await fc.assert(property, { seed: 19, numRuns: 30 });
    });

    test('so it does where its grid is folded', async () => {
      const folded = foldedRuns(like, { limit: NARROW, count: 4 });
      expect(folded.length).toBeGreaterThan(0);
      for (const each of folded) await expectAgreement(kernel, each, narrow);
    });
  });

  test('the guards notice a program that writes past its end', async () => {
    await run(careless, { inputs: { input: zeros(7) }, options: undefined });
    expect(await memory.overruns()).toBe(57); // of the workgroup's 64 invocations 7 had something to do
  });

  test('robustness keeps such a program from it', async () => {
    using checked = await open();
    const kept = new GuardedMemory(checked.device);
    using own = new GpuEngine(checked.device, {}, kept);
    await run(careless, { inputs: { input: zeros(7) }, options: undefined }, own);
    expect(await kept.overruns()).toBe(0);
  });

  test('a program that takes its index from x alone is noticed where grids are folded', async () => {
    const flat: AnyKernel = {
      ...kernels.positivePart,
      wgsl: String(kernels.positivePart.wgsl).replace(' + id.y * (groups.x * 64u)', ''),
    };
    const { data } = await run(flat, { inputs: { input: zeros(130) }, options: undefined }, narrow);
    expect(data.filter(Number.isNaN).length).toBe(2); // of three workgroups, two beside each other
    await memory.overruns();
  });

  test('the sentinel notices a program that leaves something out', async () => {
    const lazy: AnyKernel = {
      ...kernels.positivePart,
      wgsl: String(kernels.positivePart.wgsl).replace('index >= u.count', 'index + 1u >= u.count'),
    };
    const { data } = await run(lazy, { inputs: { input: zeros(3) }, options: undefined });
    expect([...data]).toEqual([0, 0, Number.NaN]);
    await memory.overruns();
  });
});
