import {
  type AnyKernel,
  constantValues,
  mapNamed,
  type OpenedDevice,
  programOf,
  type RecordedStep,
  type RecordedValue,
  type Resident,
  type Shape,
  sizeOf,
  type Tensor,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import type { ConvolutionChoice } from '../src/classifiers/convolution-for.ts';
import { layOutForward } from '../src/classifiers/lay-out.ts';
import type { Graph } from '../src/onnx/graph.ts';
import type { DeviceCeilings } from './device-ceilings.ts';

/** Runs of one kernel on tensors of one shape in a forward pass. */
export interface StepTime {
  readonly kernel: string;
  /** Of the inputs in their order, then of the output. */
  readonly shapes: readonly Shape[];
  readonly count: number;
  /** Of one run. */
  readonly seconds: number;
  readonly flopsPerSecond: number | null;
  /** Every input read once and the output written once. */
  readonly bytesPerSecond: number;
}

/** Times every step of a forward pass by itself, on real values; what depends on constants alone is not timed. Slowest first. */
export async function stepTimes(
  { graph, images }: { readonly graph: Graph; readonly images: Tensor },
  opened: OpenedDevice,
  layout: ConvolutionChoice & { readonly precision: 'f32' | 'f16' },
): Promise<readonly StepTime[]> {
  using engine = webgpuEngine(opened.device);
  const { steps: all, outputs, inputs } = layOutForward(graph, images.shape[0], layout);
  const { steps, needs } = programOf(all, outputs);
  const constant = constantValues(steps);
  const timing = { rounds: opened.software ? 1 : 5, batchSeconds: opened.software ? 0 : 0.005 };
  const alive = new Map<RecordedValue, Resident>(
    needs.map((value) => [value, engine.upload(value === inputs[0] ? images : value.constant!)]), // all else is a constant
  );
  const lastUse = new Map(steps.flatMap((step) => readBy(step).map((value) => [value, step] as const)));
  const found = new Map<string, StepTime>();
  for (const step of steps) {
    const { kernel, options, output } = step;
    const residents = mapNamed(kernel.inputs as readonly string[], (name) => alive.get(step.inputs[name])!);
    if (!constant.has(output)) {
      const shapes = [...readBy(step), output].map(({ shape }) => shape);
      const key = `${kernel.name} ${JSON.stringify(shapes)}`;
      const known = found.get(key);
      const time = known ?? rowOf(step, shapes, await engine.time(kernel, residents, options, timing));
      found.set(key, { ...time, count: (known?.count ?? 0) + 1 });
    }
    alive.set(output, engine.run(kernel, residents, options));
    for (const value of new Set(readBy(step))) if (lastUse.get(value) === step) engine.release(alive.get(value)!);
  }
  return [...found.values()].sort((a, b) => b.count * b.seconds - a.count * a.seconds);
}

function readBy({ kernel, inputs }: RecordedStep): readonly RecordedValue[] {
  return kernel.inputs.map((name: string) => inputs[name]);
}

function rowOf(step: RecordedStep, shapes: readonly Shape[], seconds: number): Omit<StepTime, 'count'> {
  const flops = flopsOf(step);
  const bytes = 4 * shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
  return {
    kernel: step.kernel.name,
    shapes,
    seconds,
    flopsPerSecond: flops > 0 ? flops / seconds : null,
    bytesPerSecond: bytes / seconds,
  };
}

/** The time that a perfect program would take by these ceilings, divided by the step's. */
export function ofRoofline(
  { kernel, flopsPerSecond, bytesPerSecond }: StepTime,
  ceilings: Omit<DeviceCeilings, 'faults'>,
): number {
  const isByMatrices = kernel.startsWith('conv2dMatrix');
  const peak = (isByMatrices ? ceilings.matrices : null) ?? ceilings.f32; // halves are summed in float32 by all others
  return Math.max((flopsPerSecond ?? 0) / peak, bytesPerSecond / ceilings.bytesPerSecond);
}

/** Of convolutions and products of matrices; the others move memory. Winograd's is credited with what it saves. */
function flopsOf({ kernel, inputs, options }: RecordedStep): number {
  const { uniforms: u } = (kernel as AnyKernel).plan(
    mapNamed(kernel.inputs as readonly string[], (name) => inputs[name].shape),
    options,
  );
  if (kernel.name === 'matmul') return 2 * u.count * u.inner;
  const window = 2 * u.pixels * 4 * u.quadsOut * u.kernelHeight * u.kernelWidth;
  if (kernel.name.startsWith('depthwise')) return window;
  if (kernel.name.startsWith('grouped')) return window * 4 * u.groupQuads;
  return kernel.name.startsWith('conv2d') && 'quadsIn' in u ? window * 4 * u.quadsIn : 0;
}
