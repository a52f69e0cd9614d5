import {
  type AnyKernel,
  compute,
  DeviceError,
  type KernelName,
  kernels,
  mapNamed,
  numpyRandom,
  type OpenedDevice,
  openDevice,
  type Tensor,
  type WebgpuEngine,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { formatBytes } from './bytes.ts';
import { mayHaveGraphics, NO_GRAPHICS } from './graphics-device.ts';
import { findTuning } from './tuning/tuning-file.ts';

/** What became of a look for a GPU. */
export type GpuTest =
  | { readonly found: false /** What was tried, in words. */; readonly tried: string }
  | {
      readonly found: true;
      readonly adapter: string;
      readonly limits: string;
      readonly agreement: string;
      /** Whether it was tuned. */
      readonly tuning: string;
    };

/**
 * Looks for a GPU and has it compute what a network is made of, beside plain loops on the CPU.
 *
 * @param prefer software adapters compute on the CPU, slowly, and are opened only when asked for
 * @throws Error naming the kernel, when the two differ by more than the kernel's tolerance
 */
export async function testGpu(prefer: 'hardware' | 'software'): Promise<GpuTest> {
  if (prefer === 'hardware' && !mayHaveGraphics()) return { found: false, tried: NO_GRAPHICS };
  let opened: OpenedDevice;
  try {
    opened = await openDevice({ prefer, robustness: false });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { found: false, tried: error.tried.map(({ adapter, reason }) => `${adapter} ${reason}`).join('; ') };
  }
  try {
    using engine = webgpuEngine(opened.device);
    const worst = await worstError(engine);
    const { said, fault } = findTuning(opened);
    const { maxBufferSize, maxComputeInvocationsPerWorkgroup: threads } = opened.limits;
    return {
      found: true,
      adapter: `${nameOf(opened)}${opened.software ? ' (software)' : ''}`,
      limits: `buffers up to ${formatBytes(maxBufferSize)}, ${threads} threads a workgroup, features: ${opened.features.join(', ') || 'none'}`,
      agreement: `${TESTED.length} kernels agree with the CPU, mean squared error at most ${worst.toExponential(1)} of the size`,
      tuning: fault ?? said ?? 'not tuned (cambium tune)',
    };
  } finally {
    opened.close();
  }
}

async function worstError(engine: WebgpuEngine): Promise<number> {
  let worst = 0;
  for (const name of TESTED) {
    const kernel: AnyKernel = kernels[name];
    for (const [inputs, options] of kernel.samples(numpyRandom(5))) {
      const residents = mapNamed(kernel.inputs, (input) => engine.upload(inputs[input]));
      const actual = await engine.download(engine.run(kernel, residents, options));
      const error = normalisedError(actual, compute(kernel, inputs, options));
      if (!(error <= (kernel.tolerance ?? TOLERANCE))) {
        throw new Error(`${name} differs from the CPU: mean squared error ${error.toExponential(1)} of the size`);
      }
      worst = Math.max(worst, error);
    }
  }
  return worst;
}

/** Σ(a − b)² / Σb² */
function normalisedError(actual: Tensor, expected: Tensor): number {
  let squared = 0;
  let scale = 0;
  for (const [index, value] of expected.data.entries()) {
    squared += (actual.data[index] - value) ** 2;
    scale += value ** 2;
  }
  return squared / (scale || 1);
}

function nameOf({ adapter: { description, device, vendor } }: OpenedDevice): string {
  return description || device || vendor || 'an adapter without a name';
}

// what a network and its masks are made of
const TESTED: readonly KernelName[] = ['conv2d', 'matmul', 'maxPool', 'maskImages', 'upsampleBilinear', 'minMax'];
const TOLERANCE = 1e-7; // of kernels that state none
