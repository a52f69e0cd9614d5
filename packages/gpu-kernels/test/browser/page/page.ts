import fc from 'fast-check';
import { GpuEngine } from '../../../src/gpu/gpu-engine.ts';
import {
  type AnyKernel,
  DeviceError,
  type KernelName,
  kernels,
  mapNamed,
  numpyRandom,
  openDevice,
} from '../../../src/index.ts';
import { errorOf, numbersOf, referenceOf } from '../../support/agreement.ts';
import { foldedRuns } from '../../support/folded-runs.ts';
import { GuardedMemory } from '../../support/guarded-memory.ts';
import { randomRuns } from '../../support/random-runs.ts';

/** What the page does when a test asks it to. All that it returns is plain data, for it crosses into another process. */
export interface Page {
  /** The names of all kernels, as the browser has them. */
  names(): readonly string[];
  describe(): { readonly software: boolean; readonly features: readonly string[] };
  /** Runs samples of a kernel, random runs and runs whose grid is folded on the GPU and in the reference loops. */
  compare(name: KernelName): Promise<readonly Comparison[]>;
  /** What `openDevice` says when it is asked for hardware, as this browser has none. */
  refusal(): Promise<DeviceError['tried']>;
}

export interface Comparison {
  readonly error: number;
  readonly tolerance: number;
  /** Elements of the output that are still the sentinel. */
  readonly unwritten: number;
  /** Numbers written outside of any tensor. */
  readonly overruns: number;
  readonly shape: readonly number[];
  readonly expectedShape: readonly number[];
}

const opened = await openDevice({ prefer: 'software' });
const memory = new GuardedMemory(opened.device);
const engine = new GpuEngine(opened.device, {}, memory);
const narrow = new GpuEngine(opened.device, { workgroupLimit: 2 }, memory);

const page: Page = {
  names: () => Object.keys(kernels),
  describe: () => ({ software: opened.software, features: opened.features }),
  async compare(name) {
    const kernel: AnyKernel = kernels[name];
    const runs = [
      ...kernel.samples(numpyRandom(5)).map(([inputs, options]) => ({ inputs, options, on: engine })),
      ...fc.sample(randomRuns(name), { seed: 19, numRuns: 10 }).map((drawn) => ({ ...drawn, on: engine })),
      ...foldedRuns(name, { limit: 2, count: 2 }).map((folded) => ({ ...folded, on: narrow })),
    ];
    const results: Comparison[] = [];
    for (const { inputs, options, on } of runs) {
      const uploaded = mapNamed(kernel.inputs, (input) => on.upload(inputs[input]));
      const actual = await on.download(on.run(kernel, uploaded, options));
      const expected = referenceOf(kernel, inputs, options);
      results.push({
        error: errorOf(kernel, actual, expected),
        tolerance: kernel.tolerance ?? 1e-7,
        unwritten: numbersOf(kernel, actual).filter(Number.isNaN).length,
        overruns: await memory.overruns(),
        shape: actual.shape,
        expectedShape: expected.shape,
      });
    }
    return results;
  },
  async refusal() {
    const reason: unknown = await openDevice().catch((error: unknown) => error);
    if (reason instanceof DeviceError) return reason.tried;
    throw new Error('openDevice opened a software adapter that nobody asked for.');
  },
};
Object.assign(globalThis, { page });
