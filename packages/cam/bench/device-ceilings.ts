import {
  mapNamed,
  numpyRandom,
  type OpenedDevice,
  type Timing,
  toHalves,
  uniformTensor,
  webgpuEngine,
  zeros,
} from '@cambium/gpu-kernels';
import { requireAgreement, type Subject } from '../../gpu-kernels/bench/agreement.ts';
import { copy, exact, FACTORS, multiplyAdd, multiplyAddFlops } from '../../gpu-kernels/bench/ceilings.ts';
import { matrixCeiling, multiplyAddHalf, multiplyAddHalfFlops } from '../../gpu-kernels/bench/half-ceilings.ts';
import { warmUp } from './alternate.ts';

/** What a device does at best, measured; null where it cannot do such a thing. Additions and multiplications both count. */
export interface DeviceCeilings {
  /** Fused multiply-adds in float32. */
  readonly f32: number;
  /** The same in halves, sums too: what `shader-f16` gives without matrices. */
  readonly f16: number | null;
  /** Products of the matrices of subgroups. */
  readonly matrices: number | null;
  /** Of a copy: read and written. */
  readonly bytesPerSecond: number;
  /** Why what the device lists could not be measured. */
  readonly faults: readonly string[];
}

type Figure = Exclude<keyof DeviceCeilings, 'faults'>;

/** A second of work lets the clocks of a GPU rise that had nothing to do. */
const WARM_SECONDS = 1;
const MEASUREMENTS = 3;

/**
 * Measures them, after checking that what is measured computes what it should, on a device that has been warmed up: of several
 * measurements, taken in turn, the best. A GPU's clocks rise and fall, so `largerOf` of two times of a run is better still.
 *
 * @throws Error where float32 or copies are wrong; for halves and matrices it is one of the faults
 */
export async function measureCeilings(opened: OpenedDevice): Promise<DeviceCeilings> {
  using engine = webgpuEngine(opened.device);
  const timing: Timing = { rounds: opened.software ? 1 : 5, batchSeconds: 0.01 };
  const faults: string[] = [];
  const best = new Map<Figure, number>();
  const measurements: (() => Promise<void>)[] = [];
  const orFault = (figure: Figure, work: () => Promise<void>) =>
    work().catch((error: unknown) => {
      if (figure === 'f32' || figure === 'bytesPerSecond') throw error;
      faults.push(error instanceof Error ? error.message.split('\n')[0] : String(error));
    });
  for (const [figure, { subject, amount }] of worksOf(opened)) {
    await orFault(figure, async () => {
      await requireAgreement(engine, subject);
      const { kernel, inputs, options } = subject;
      const uploaded = mapNamed(kernel.inputs as readonly string[], (name) => engine.upload(inputs[name]));
      measurements.push(async () => {
        const seconds = await engine.time(kernel, uploaded, options, timing);
        best.set(figure, Math.max(best.get(figure) ?? 0, amount / seconds));
      });
    });
  }
  if (!opened.software) await warmUp(measurements, WARM_SECONDS);
  for (let time = 0; time < (opened.software ? 1 : MEASUREMENTS); time++) {
    for (const measure of measurements) await measure();
  }
  const found = (figure: Figure) => best.get(figure) ?? null;
  return {
    f32: best.get('f32')!, // measured, or an error was thrown; so are copies
    f16: found('f16'),
    matrices: found('matrices'),
    bytesPerSecond: best.get('bytesPerSecond')!,
    faults,
  };
}

/** The larger of each figure of two measurements of one device. */
export function largerOf(one: DeviceCeilings, other: DeviceCeilings): DeviceCeilings {
  const larger = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : Math.max(a, b));
  return {
    f32: Math.max(one.f32, other.f32),
    f16: larger(one.f16, other.f16),
    matrices: larger(one.matrices, other.matrices),
    bytesPerSecond: Math.max(one.bytesPerSecond, other.bytesPerSecond),
    faults: [...new Set([...one.faults, ...other.faults])],
  };
}

/** What to time for each figure that the device can have, and the operations or bytes of a run. */
function worksOf(opened: OpenedDevice): ReadonlyMap<Figure, { readonly subject: Subject; readonly amount: number }> {
  const options = { rounds: 512 };
  const count = opened.software ? 2 ** 14 : 2 ** 22;
  const works = new Map<Figure, { readonly subject: Subject; readonly amount: number }>();
  const numbers = exact(uniformTensor(numpyRandom(1), [count]));
  works.set('f32', {
    subject: { kernel: multiplyAdd, inputs: { input: numbers, factors: FACTORS }, options },
    amount: multiplyAddFlops(numbers.shape, options.rounds),
  });
  if (opened.features.includes('shader-f16')) {
    const input = toHalves(zeros(count));
    works.set('f16', {
      subject: { kernel: multiplyAddHalf, inputs: { input }, options },
      amount: multiplyAddHalfFlops(input.shape, options.rounds),
    });
  }
  const ceiling = matrixCeiling(opened);
  if (ceiling) {
    const input = zeros(4096); // one of each workgroup
    works.set('matrices', {
      subject: { kernel: ceiling.kernel, inputs: { input }, options },
      amount: ceiling.flops * input.data.length * options.rounds,
    });
  }
  const large = uniformTensor(numpyRandom(1), [opened.software ? 2 ** 18 : 2 ** 26]);
  works.set('bytesPerSecond', {
    subject: { kernel: copy, inputs: { input: large }, options: undefined },
    amount: 8 * large.data.length,
  });
  return works;
}
