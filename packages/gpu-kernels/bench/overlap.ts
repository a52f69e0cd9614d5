import type { Tensor, WebgpuEngine } from '../src/index.ts';
import { exact, FACTORS, multiplyAdd } from './ceilings.ts';

/** What uploads, computes and reads back several results in two ways. */
export interface OverlapWork {
  readonly input: Tensor;
  /** Of `multiplyAdd`: how much is computed for each number. */
  readonly rounds: number;
  readonly results: number;
  readonly repetitions: number;
}

/** Medians of the seconds that all results take; the ways are measured in turn. */
export interface Overlap {
  readonly results: number;
  /** Of one result, as many as of its input. */
  readonly bytes: number;
  /** Computed alone, with the inputs there and nothing read back. */
  readonly computing: number;
  /** Each is read before the next one is uploaded. */
  readonly apart: number;
  /** All are asked for at once. */
  readonly together: number;
}

/**
 * Measures how far uploads and read-backs overlap compute.
 *
 * @throws Error when results that were asked for together are not those that were asked for one by one
 */
export async function measureOverlap(engine: WebgpuEngine, work: OverlapWork): Promise<Overlap> {
  const input = exact(work.input);
  const factors = engine.upload(FACTORS);
  const resident = engine.upload(input);
  const compute = (from = engine.upload(input)) =>
    engine.run(multiplyAdd, { input: from, factors }, { rounds: work.rounds });
  const indices = Array.from({ length: work.results }, (_, index) => index);

  /** Uploads and computes at once; the numbers come later. */
  function result(): Promise<Tensor> {
    const made = engine.scope(() => compute());
    const numbers = engine.download(made);
    engine.release(made);
    return numbers;
  }
  const ways = {
    async computing() {
      engine.release(...indices.map(() => compute(resident)));
      await engine.finished();
    },
    async apart() {
      const tensors: Tensor[] = [];
      for (const _ of indices) tensors.push(await result());
      return tensors;
    },
    together: () => Promise.all(indices.map(result)),
  };

  const [apart, together] = [await ways.apart(), await ways.together()]; // compiles and fills the pools as well
  for (const { data } of [...apart, ...together]) {
    if (data.some((value, index) => value !== apart[0].data[index])) throw new Error('Results that overlap differ.');
  }
  const times = { computing: [] as number[], apart: [] as number[], together: [] as number[] };
  for (let repetition = 0; repetition < work.repetitions; repetition++) {
    for (const way of ['computing', 'apart', 'together'] as const) times[way].push(await secondsOf(ways[way]));
  }
  engine.release(factors, resident);
  return {
    results: work.results,
    bytes: input.data.byteLength,
    computing: median(times.computing),
    apart: median(times.apart),
    together: median(times.together),
  };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}
