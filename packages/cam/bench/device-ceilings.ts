import {
  type AnyKernel,
  numpyRandom,
  type OpenedDevice,
  type Timing,
  toHalves,
  uniformTensor,
  webgpuEngine,
  zeros,
} from '@cambium/gpu-kernels';
import { requireAgreement, timeOf } from '../../gpu-kernels/bench/agreement.ts';
import { copy, exact, FACTORS, multiplyAdd, multiplyAddFlops } from '../../gpu-kernels/bench/ceilings.ts';
import { matrixCeiling, multiplyAddHalf, multiplyAddHalfFlops } from '../../gpu-kernels/bench/half-ceilings.ts';

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

/**
 * Measures them, after checking that what is measured computes what it should.
 *
 * @throws Error where float32 does not; for halves and matrices it is one of the faults
 */
export async function measureCeilings(opened: OpenedDevice): Promise<DeviceCeilings> {
  using engine = webgpuEngine(opened.device);
  const timing: Timing = { rounds: 5, batchSeconds: 0.01 };
  const rounds = 512;
  const count = opened.software ? 2 ** 14 : 2 ** 22;
  const time = async (subject: {
    kernel: AnyKernel;
    inputs: Parameters<typeof timeOf>[1]['inputs'];
    options: unknown;
  }) => {
    await requireAgreement(engine, subject);
    return timeOf(engine, subject, timing);
  };
  const numbers = exact(uniformTensor(numpyRandom(1), [count]));
  const added = await time({ kernel: multiplyAdd, inputs: { input: numbers, factors: FACTORS }, options: { rounds } });
  const large = uniformTensor(numpyRandom(1), [opened.software ? 2 ** 18 : 2 ** 26]);
  const copied = await time({ kernel: copy, inputs: { input: large }, options: undefined });
  const faults: string[] = [];
  return {
    f32: multiplyAddFlops(numbers.shape, rounds) / added,
    f16: await halves().catch(fault),
    matrices: await matrices().catch(fault),
    bytesPerSecond: (8 * large.data.length) / copied,
    faults,
  };

  function fault(error: unknown): null {
    faults.push(error instanceof Error ? error.message.split('\n')[0] : String(error));
    return null;
  }

  async function halves(): Promise<number | null> {
    if (!opened.features.includes('shader-f16')) return null;
    const input = toHalves(zeros(count));
    const seconds = await time({ kernel: multiplyAddHalf, inputs: { input }, options: { rounds } });
    return multiplyAddHalfFlops(input.shape, rounds) / seconds;
  }

  async function matrices(): Promise<number | null> {
    const ceiling = matrixCeiling(opened);
    if (!ceiling) return null;
    const groups = 4096;
    const seconds = await time({ kernel: ceiling.kernel, inputs: { input: zeros(groups) }, options: { rounds } });
    return (ceiling.flops * groups * rounds) / seconds;
  }
}
