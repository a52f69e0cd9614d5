import type { Attempt } from '../errors.ts';

/** What adapters come from. */
export interface GpuSource {
  readonly gpu: GPU;
  /** Whether devices of its adapters check every index of a program. */
  readonly robustness: boolean;
}

/** What Dawn is told when it is loaded from the package `webgpu`. */
export interface DawnOptions {
  /**
   * Whether the GPU checks every index of a program, so that none reaches beyond its tensor; it does unless said, and in browsers
   * always. Programs of this package keep within their tensors without it, and are faster: `false` is for them, and for others that
   * are as sure.
   */
  readonly robustness?: boolean;
  /** Toggles beside our own. Unknown ones are ignored. */
  readonly toggles?: { readonly enable?: readonly string[]; readonly disable?: readonly string[] };
}

// On Linux, Dawn hides f16 on NVIDIA behind the first and subgroup matrices everywhere behind the second.
const OUR_TOGGLES = ['vulkan_enable_f16_on_nvidia', 'allow_unsafe_apis'];
const NO_ROBUSTNESS = 'disable_robustness';

/** The browser's, else that of the package `webgpu`; where there is neither, `tried` is told why. */
export async function findGpu(options: DawnOptions, tried: Attempt[]): Promise<GpuSource | undefined> {
  const browser = globalThis.navigator as { readonly gpu?: GPU } | undefined; // Node's navigator has none
  if (browser?.gpu) return { gpu: browser.gpu, robustness: true };
  const { robustness = true, toggles: { enable = [], disable = [] } = {} } = options;
  const wanted = [...OUR_TOGGLES, ...(robustness ? [] : [NO_ROBUSTNESS]), ...enable];
  const enabled = wanted.filter((toggle) => !disable.includes(toggle));
  const name = 'webgpu'; // a variable, so that bundlers for browsers leave the native package alone
  try {
    const native: typeof import('webgpu') = await import(/* @vite-ignore */ name);
    const gpu = native.create([
      `enable-dawn-features=${enabled.join(',')}`,
      ...(disable.length > 0 ? [`disable-dawn-features=${disable.join(',')}`] : []),
    ]);
    return { gpu, robustness: !enabled.includes(NO_ROBUSTNESS) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    tried.push({ adapter: 'navigator.gpu', reason: 'this runtime has none' });
    tried.push({ adapter: 'the package webgpu', reason: `${message}; install it with: npm install webgpu` });
    return undefined;
  }
}

const kept = new Set<GPU>();

/**
 * Holds on to what a device came from.
 *
 * Dawn's runner keeps a raw pointer to the object that create() returned and uses it after the device is gone, as long as anything is
 * pending: if that object is collected, memory is corrupted. So it is never let go of; it is small.
 */
export function keep(gpu: GPU): void {
  kept.add(gpu);
}
