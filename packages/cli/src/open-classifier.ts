import {
  type Classifier,
  type Graph,
  hybridClassifier,
  int8Classifier,
  ModelError,
  NameError,
  type OrtOptions,
  ortClassifier,
  type Precision,
  type Provider,
  type Ranges,
  webgpuClassifier,
} from '@cambium/cam';
import {
  type Conv2dHalf,
  conv2dHalf,
  DeviceError,
  type DeviceOptions,
  halfError,
  matrixConvolutions,
  type OpenedDevice,
  openDevice,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { messageOf, UsageError } from './errors.ts';
import { mayHaveGraphics, NO_GRAPHICS } from './graphics-device.ts';
import { type FoundTuning, findTuning } from './tuning/tuning-file.ts';

/** What `--device` takes: where networks are computed. */
export const devices = {
  auto: 'a GPU if there is one, else the CPU',
  gpu: 'the whole network on a GPU',
  cpu: 'ONNX Runtime on the CPU',
  hybrid: 'ONNX Runtime on the CPU for forward passes, a GPU for masks, perturbations and walks back',
  software: 'as gpu, on an adapter that computes on the CPU: right, and hundreds of times slower',
  cuda: 'ONNX Runtime with CUDA',
  coreml: 'ONNX Runtime with Core ML',
  dml: 'ONNX Runtime with DirectML',
} as const;
export type DeviceName = keyof typeof devices;

/** What `--precision` takes. */
export const precisions = ['f32', 'f16', 'int8'] as const satisfies readonly Precision[];

/** What is to be opened. */
export interface ClassifierRequest {
  readonly graph: Graph;
  readonly device: string;
  readonly precision?: Precision;
  /** `thread` counts where ONNX Runtime does all the work on the CPU. */
  readonly ort?: Pick<OrtOptions, 'sessions' | 'maxBatch' | 'thread'>;
  /** What int8 rounds to: found by `calibrate`, asked for when it is needed. */
  readonly ranges: () => Promise<Ranges>;
}

/** A classifier with what is to be said about it. */
export interface OpenedClassifier extends AsyncDisposable {
  readonly classifier: Classifier;
  /** Why the CPU computes though there is a GPU, or what is wrong with the GPU's tuning. */
  readonly note?: string;
  /** Why there is no GPU, where one was looked for. */
  readonly noGpu?: string;
  /** The GPU, where one computes: its name, features, largest buffer and tuning. */
  readonly adapter?: string;
}

/**
 * Opens the classifier that a command line asks for.
 *
 * `auto` takes a hardware GPU where there is one that has kernels for the network, and the CPU otherwise, saying why. A software
 * adapter is never taken unless asked for.
 *
 * @throws NameError when there is no such device; UsageError when it is not here or does not have the precision; ModelError when
 * it cannot compute the network
 */
export async function openClassifier(request: ClassifierRequest): Promise<OpenedClassifier> {
  const { device, precision = 'f32' } = request;
  if (!Object.hasOwn(devices, device)) throw new NameError('device', device, Object.keys(devices));
  const name = device as DeviceName; // it has just been looked up
  requirePrecision(name, precision);
  if (name === 'gpu' || name === 'software' || name === 'hybrid') return openOnGpu(request, name);
  if (name !== 'auto') return openOnRuntime(request, name);
  if (precision === 'int8') return openOnRuntime(request, 'cpu');
  try {
    if (!mayHaveGraphics()) throw new NoGpuError('auto', NO_GRAPHICS);
    return await openOnGpu(request, 'gpu');
  } catch (error) {
    const known = error instanceof ModelError || (error instanceof NoGpuError && precision === 'f32');
    if (!known) throw error;
    const opened = await openOnRuntime(request, 'cpu');
    return error instanceof NoGpuError
      ? { ...opened, noGpu: `Computing on the CPU: no GPU was found (${error.tried}).` }
      : { ...opened, note: `Computing on the CPU: ${messageOf(error)}` };
  }
}

class NoGpuError extends UsageError {
  /** What was looked at and why it did not do, in words. */
  readonly tried: string;

  constructor(device: string, tried: string, options?: ErrorOptions) {
    super(`no GPU was found for --device ${device} (${tried}). --device cpu needs none.`, options);
    this.tried = tried;
  }
}

function requirePrecision(device: DeviceName, precision: Precision): void {
  const onGpu = device === 'gpu' || device === 'software' || device === 'auto';
  const onCpu = device === 'cpu' || device === 'auto';
  if (precision === 'f32' || (precision === 'f16' && onGpu) || (precision === 'int8' && onCpu)) return;
  const place = precision === 'f16' ? 'a GPU (--device gpu)' : 'the CPU (--device cpu)';
  throw new UsageError(`--precision ${precision} is computed on ${place}, not on --device ${device}.`);
}

async function openOnRuntime(
  { graph, precision, ort = {}, ranges }: ClassifierRequest,
  device: 'cpu' | 'cuda' | 'coreml' | 'dml',
): Promise<OpenedClassifier> {
  const provider: Provider = device;
  const options = { ...ort, provider, ...(provider === 'cpu' ? {} : { thread: 'caller' as const }) };
  const classifier =
    precision === 'int8' ? int8Classifier(graph, await ranges(), options) : ortClassifier(graph, options);
  return { classifier, [Symbol.asyncDispose]: () => classifier.close() };
}

async function openOnGpu(
  { graph, precision = 'f32', ort = {} }: ClassifierRequest,
  device: 'gpu' | 'software' | 'hybrid',
): Promise<OpenedClassifier> {
  const opened = await findDevice(device);
  try {
    if (precision === 'f16') await requireHalves(opened);
    const found: Partial<FoundTuning> = device === 'hybrid' ? {} : findTuning(opened);
    const classifier =
      device === 'hybrid'
        ? hybridClassifier(ortClassifier(graph, { ...ort, thread: 'caller' }), opened)
        : webgpuClassifier(graph, opened, { precision: precision === 'f16' ? 'f16' : 'f32', tuning: found.tuning });
    return {
      classifier,
      adapter: found.said === undefined ? describe(opened) : `${describe(opened)}, ${found.said}`,
      ...(found.fault === undefined ? {} : { note: found.fault }),
      async [Symbol.asyncDispose]() {
        await classifier.close();
        opened.close();
      },
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/**
 * Opens the GPU of a `--device`, without robustness: it runs our own programs only. `hybrid` takes a software adapter where
 * CAMBIUM_SOFTWARE_GPU is 1, for tests.
 *
 * @throws UsageError when there is none, telling what was tried
 */
export async function findDevice(
  device: 'gpu' | 'software' | 'hybrid',
  toggles?: DeviceOptions['toggles'],
): Promise<OpenedDevice> {
  const software = device === 'software' || (device === 'hybrid' && process.env.CAMBIUM_SOFTWARE_GPU === '1');
  try {
    return await openDevice({ prefer: software ? 'software' : 'hardware', robustness: false, toggles });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const tried = error.tried.map(({ adapter, reason }) => `${adapter} ${reason}`).join('; ');
    throw new NoGpuError(device, tried, { cause: error });
  }
}

/**
 * Holds a product and a convolution in halves to float32, in every program that may compute them untuned.
 *
 * @throws UsageError when the device computes halves wrong
 */
export async function requireHalves(
  opened: OpenedDevice,
  programs: readonly Conv2dHalf[] = [conv2dHalf, ...matrixConvolutions(opened)],
): Promise<void> {
  const { device, adapter } = opened;
  using engine = webgpuEngine(device);
  for (const program of programs) {
    const error = await halfError(engine, program);
    if (error < 1e-6) continue; // squares of rounding errors of 2⁻¹² on average
    throw new UsageError(
      `--precision f16: ${adapter.description || adapter.device} computes halves wrong in ${program.name} (mean squared error ${error.toExponential(1)} of the size). Use f32.`,
    );
  }
}

function describe({ adapter, features, limits, robustness, software }: OpenedDevice): string {
  const name = adapter.description || adapter.device || adapter.vendor || 'an adapter without a name';
  const kind = software ? ' (software)' : '';
  return `${name}${kind}, ${adapter.vendor} ${adapter.architecture}, buffers up to ${limits.maxBufferSize} bytes, robustness ${robustness ? 'on' : 'off'}, features: ${features.join(', ') || 'none'}`;
}
