import { KernelError } from '../errors.ts';
import type { Checks } from './checks.ts';
import type { Commands, Dispatch } from './commands.ts';
import { COPY_DST, COPY_SRC, MAP_READ, MODE_READ, QUERY_RESOLVE } from './flags.ts';
import { firstFailure } from './outcome.ts';

/** How long to measure. */
export interface Timing {
  /** Batches whose median counts. */
  readonly rounds: number;
  /** What a batch of runs lasts at least. */
  readonly batchSeconds: number;
}

/** Seconds that a batch takes in which the dispatches are run so many times over. */
type Measure = (dispatches: readonly Dispatch[], times: number) => Promise<number>;

/** Measures how long dispatches take: by the device's own clock where it has one, else by ours around work that it has finished. */
export class Stopwatch {
  readonly clock: 'timestamps' | 'wall';
  readonly #measure: Measure;

  constructor(device: GPUDevice, commands: Commands, checks: Checks) {
    const hasClock = device.features.has('timestamp-query');
    this.clock = hasClock ? 'timestamps' : 'wall';
    this.#measure = hasClock ? timestampClock(device, commands, checks) : wallClock(device, commands, checks);
  }

  /** Median over batches of the seconds that the dispatches take together. @throws KernelError when they fail */
  async median(dispatches: readonly Dispatch[], { rounds, batchSeconds }: Timing): Promise<number> {
    await this.#measure(dispatches, 1); // compiles and fills caches
    let times = 1;
    let taken = await this.#measure(dispatches, times);
    while (times < 1024 && taken < batchSeconds) {
      times *= 2;
      taken = await this.#measure(dispatches, times);
    }
    const seconds = [taken / times];
    while (seconds.length < rounds) seconds.push((await this.#measure(dispatches, times)) / times);
    return seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length / 2)];
  }
}

/** The device's clock at the beginning and the end of a pass. */
function timestampClock(device: GPUDevice, commands: Commands, checks: Checks): Measure {
  return async (dispatches, times) => {
    const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
    const resolved = device.createBuffer({ size: 16, usage: QUERY_RESOLVE | COPY_SRC });
    const staging = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
    try {
      await submitted(checks, dispatches, () => {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
        const encoder = commands.encode(dispatches, { times, timestampWrites });
        encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
        encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
        device.queue.submit([encoder.finish()]);
      });
      await staging.mapAsync(MODE_READ);
      const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0));
      return Number(end - begin) / 1e9;
    } finally {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    }
  };
}

/** Our clock, from submitting a batch to the news that it is finished. */
function wallClock(device: GPUDevice, commands: Commands, checks: Checks): Measure {
  return async (dispatches, times) => {
    await device.queue.onSubmittedWorkDone();
    let start = 0;
    const done = submitted(checks, dispatches, () => {
      const buffer = commands.encode(dispatches, { times }).finish();
      start = performance.now();
      device.queue.submit([buffer]);
    });
    await device.queue.onSubmittedWorkDone();
    const seconds = (performance.now() - start) / 1000;
    await done;
    return seconds;
  };
}

/** Calls `work`, which submits dispatches. @throws the first error of their programs or of submitting them */
async function submitted(checks: Checks, dispatches: readonly Dispatch[], work: () => void): Promise<void> {
  const programs = dispatches.map(({ program }) => program.outcome);
  const { outcome } = checks.watch(
    work,
    async (kind, message) => (await firstFailure(programs)) ?? new KernelError(kind, dispatches[0].run, message),
  );
  const error = await outcome;
  if (!error) return;
  checks.told(error);
  throw error;
}
