import { type Attempt, DeviceError } from './errors.ts';
import { type DawnOptions, findGpu, type GpuSource, keep } from './gpu/find-gpu.ts';
import { halvesAreSound } from './gpu/half-self-test.ts';
import type { Conv2dHalf } from './halves/conv2d-half-plan.ts';
import { hasUnknownSize, type MatrixHost, matrixConvolutions, type SubgroupMatrix } from './halves/conv2d-matrix.ts';
import { halfError } from './halves/half-error.ts';
import { webgpuEngine } from './webgpu-engine.ts';

/** What to open. */
export interface DeviceOptions extends DawnOptions {
  /** Software adapters are opened only when asked for. `hardware` unless said. */
  readonly prefer?: 'hardware' | 'software';
  /** Features to switch on where the adapter has them; unless said, all that kernels have variants for. */
  readonly features?: readonly string[];
  /**
   * Where adapters come from; unless said the browser's `navigator.gpu`, and outside of browsers the package `webgpu`. Whoever gives
   * it says with `robustness` how it was made.
   */
  readonly gpu?: GPU;
}

/** A GPU device with what a manifest should say about it. Whoever opens it closes it, or declares it with `using`. */
export interface OpenedDevice extends Disposable {
  readonly device: GPUDevice;
  /** As the driver describes itself; browsers leave most of it empty. */
  readonly adapter: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
  };
  /** Features that are switched on, sorted. */
  readonly features: readonly string[];
  readonly limits: { readonly [name: string]: number };
  /** Invocations that compute in step: how many at least and at most, and which matrices they multiply together. */
  readonly subgroups: MatrixHost['subgroups'];
  /** Whether every index of a program is checked. */
  readonly robustness: boolean;
  /** Whether the adapter computes on the CPU: right, and hundreds of times slower. */
  readonly software: boolean;
  /** What was tried before this device, and why it did not do. */
  readonly tried: readonly Attempt[];
  close(): void;
}

const SUBGROUP_MATRICES = 'chromium-experimental-subgroup-matrix';

/** Features that variants of kernels may ask for, and timestamps for benchmarks. */
export const WANTED_FEATURES = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'timestamp-query',
  SUBGROUP_MATRICES,
];

/**
 * Opens a GPU device with all the adapter's limits and the wanted features it has.
 *
 * @throws DeviceError when there is no adapter of the preferred kind; its `tried` says what was there instead
 */
export async function openDevice(options: DeviceOptions = {}): Promise<OpenedDevice> {
  const { prefer = 'hardware', features = WANTED_FEATURES } = options;
  const tried: Attempt[] = [];
  const source = options.gpu
    ? { gpu: options.gpu, robustness: options.robustness ?? true }
    : await findGpu(options, tried);
  if (!source) throw new DeviceError(prefer, tried);
  const opened =
    (await openWith(source, prefer, { features, tried })) ??
    (await openWith(source, prefer, { features: null, tried }));
  if (!opened) throw new DeviceError(prefer, tried);
  // a driver that computes wrong results with a feature is used without it
  const fault = await faultOf(opened);
  if (!fault) return opened;
  opened.close();
  tried.push({ adapter: nameOf(opened.adapter), reason: fault.reason });
  const sound = opened.features.filter((name) => !fault.features.includes(name));
  const plain = await openWith(source, prefer, { features: sound, tried });
  if (!plain) throw new DeviceError(prefer, tried);
  return plain;
}

/** What a device was found to compute wrong, and the features to leave out. */
async function faultOf(
  opened: OpenedDevice,
): Promise<{ readonly reason: string; readonly features: readonly string[] } | undefined> {
  const { features, device } = opened;
  if (features.includes('shader-f16') && !(await halvesAreSound(device))) {
    return {
      reason: 'half precision (shader-f16) computes wrong results',
      features: ['shader-f16', SUBGROUP_MATRICES],
    };
  }
  const { smallest, largest } = opened.subgroups;
  if (features.includes(SUBGROUP_MATRICES) && hasUnknownSize(opened)) {
    return {
      reason: `its subgroups have ${smallest} to ${largest} invocations and cannot be held to a size (subgroup-size-control), so they do not multiply matrices`,
      features: [SUBGROUP_MATRICES],
    };
  }
  for (const program of matrixConvolutions(opened)) {
    if (await matricesAreSound(device, program)) continue;
    return {
      reason: `its subgroups multiply matrices wrong (${SUBGROUP_MATRICES}, ${program.name})`,
      features: [SUBGROUP_MATRICES],
    };
  }
  return undefined;
}

/** Whether a convolution by matrices of subgroups is, within the rounding of halves, what it is in float32. */
export async function matricesAreSound(device: GPUDevice, program: Conv2dHalf): Promise<boolean> {
  using engine = webgpuEngine(device);
  const error = await halfError(engine, program).catch(() => Number.POSITIVE_INFINITY); // it may not even compile
  return error < 1e-6; // see halfError
}

type Prefer = 'hardware' | 'software';

/** Opens a device of the preferred kind; `features: null` asks for nothing beyond WebGPU's defaults, limits included. */
export async function openWith(
  source: GpuSource,
  prefer: Prefer,
  { features, tried }: { readonly features: readonly string[] | null; readonly tried: Attempt[] },
): Promise<OpenedDevice | undefined> {
  const adapter = await findAdapter(source.gpu, prefer, tried);
  if (!adapter) return undefined;
  try {
    const device = await adapter.requestDevice(features ? request(adapter, features) : {});
    return record(source, [adapter, device], tried);
  } catch (error) {
    const wanted = features ? 'with all its limits' : 'with the default limits';
    tried.push({ adapter: nameOf(adapter.info), reason: `refused a device ${wanted}: ${messageOf(error)}` });
    return undefined;
  }
}

async function findAdapter(gpu: GPU, prefer: Prefer, tried: Attempt[]): Promise<GPUAdapter | undefined> {
  const found = await askForAdapter(gpu, prefer).catch(messageOf);
  if (found instanceof Object && isSoftware(found.info) === (prefer === 'software')) return found;
  const adapter = found instanceof Object ? nameOf(found.info) : 'the system';
  if (!tried.some((attempt) => attempt.adapter === adapter)) tried.push({ adapter, reason: whyNot(found, prefer) });
  return undefined;
}

async function askForAdapter(gpu: GPU, prefer: Prefer): Promise<GPUAdapter | null> {
  if (prefer === 'hardware') return gpu.requestAdapter({ powerPreference: 'high-performance' });
  return (await gpu.requestAdapter({ forceFallbackAdapter: true })) ?? gpu.requestAdapter();
}

/** @param found an adapter of the other kind, nothing, or the message with which the search failed */
function whyNot(found: GPUAdapter | string | null, prefer: Prefer): string {
  if (found === null) return 'offers no adapter; check that a driver for Vulkan, Metal or Direct3D 12 is installed';
  if (typeof found === 'string') return `offers no adapter: ${found}`;
  return prefer === 'hardware'
    ? 'is a software adapter, which is opened only with prefer: "software"'
    : 'is a hardware adapter';
}

function request(adapter: GPUAdapter, features: readonly string[]): GPUDeviceDescriptor {
  const has = features.filter((name) => adapter.features.has(name));
  return {
    requiredFeatures: has as GPUFeatureName[], // the adapter has listed them
    requiredLimits: limitsOf(adapter.limits),
  };
}

function record(
  { gpu, robustness }: GpuSource,
  [adapter, device]: readonly [GPUAdapter, GPUDevice],
  tried: readonly Attempt[],
): OpenedDevice {
  keep(gpu);
  const close = () => device.destroy();
  const { vendor, architecture, device: model, description } = adapter.info;
  return {
    device,
    adapter: { vendor, architecture, device: model, description },
    features: [...device.features].sort(),
    limits: limitsOf(device.limits),
    subgroups: subgroupsOf(adapter.info, device),
    robustness,
    software: isSoftware(adapter.info),
    tried,
    close,
    [Symbol.dispose]: close,
  };
}

/** Sizes are 0 where nobody says; matrices are experimental, and their list is not in the types. */
function subgroupsOf(info: GPUAdapterInfo, device: GPUDevice): OpenedDevice['subgroups'] {
  const { subgroupMinSize = 0, subgroupMaxSize = 0, subgroupMatrixConfigs = [] } = info as ExperimentalInfo;
  const hasMatrices = device.features.has(SUBGROUP_MATRICES);
  const matrices = hasMatrices ? subgroupMatrixConfigs : [];
  return {
    smallest: subgroupMinSize,
    largest: subgroupMaxSize,
    matrices: matrices.map(({ componentType, resultComponentType, M, N, K }) => ({
      componentType,
      resultComponentType,
      M,
      N,
      K,
    })),
  };
}

interface ExperimentalInfo extends GPUAdapterInfo {
  readonly subgroupMatrixConfigs?: readonly SubgroupMatrix[];
}

/** Limits are getters of a prototype; an implementation may lack some. */
function limitsOf(limits: GPUSupportedLimits): { [name: string]: number } {
  const values: { [name: string]: number } = {};
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits]; // it was just listed
    if (typeof value === 'number') values[name] = value;
  }
  return values;
}

function isSoftware(info: GPUAdapterInfo): boolean {
  const names = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(names);
}

function nameOf({ description, device, vendor }: OpenedDevice['adapter']): string {
  return description || device || vendor || 'an adapter without a name';
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
