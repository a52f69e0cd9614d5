import {
  constantValues,
  type Engine,
  mapNamed,
  type OpenedDevice,
  programOf,
  type RecordedValue,
  type Resident,
  type Shape,
  sizeOf,
  type WebgpuEngineOptions,
} from '@cambium/gpu-kernels';
import type { Graph } from '../onnx/graph.ts';
import { convolutionFor } from './convolution-for.ts';
import { layOutForward } from './lay-out.ts';

/** What keeps a large GPU busy, in about as many bytes; and what bounds the wait for one answer on an adapter that computes on the CPU. */
const MOST = { f32: 128, f16: 256, software: 8 } as const;

/** Memory is kept in sizes that are up to an eighth larger than what is in it. */
const ROUNDING = 9 / 8;

/** Bytes that a forward pass takes, those of weights apart. */
export interface ForwardBytes {
  /** Of the largest tensor. */
  readonly largest: number;
  /** Of all tensors that are alive at once, at most. */
  readonly alive: number;
  /** Of the weights as they stay. */
  readonly weights: number;
}

/** What `chooseBatch` depends on besides device and network. */
export interface BatchOptions extends Pick<WebgpuEngineOptions, 'memoryLimit'> {
  /** `f32` unless said. */
  readonly precision?: 'f32' | 'f16';
}

/**
 * Images that one run of a network takes on a device: the largest power of two, up to 128 in float32 and 256 in half precision (8 on
 * a software adapter), of which every tensor fits into a buffer, and all that is alive at once beside the weights into the memory
 * limit.
 *
 * WebGPU does not tell how much memory a device has; its largest buffer is all that is known.
 *
 * @returns 1 where even one image is too much: the run then says what it lacks
 */
export function chooseBatch(
  graph: Graph,
  { software, limits }: Pick<OpenedDevice, 'software' | 'limits'>,
  { memoryLimit = Number.POSITIVE_INFINITY, precision = 'f32' }: BatchOptions = {},
): number {
  const { largest, alive, weights } = forwardBytes(graph, precision);
  let batch: number = MOST[software ? 'software' : precision];
  const fits = () => largest * batch <= limits.maxBufferSize && ROUNDING * (alive * batch + weights) <= memoryLimit;
  while (batch > 1 && !fits()) batch /= 2;
  return batch;
}

/** What one image takes on its way through the network. */
export function forwardBytes(graph: Graph, precision: 'f32' | 'f16' = 'f32'): ForwardBytes {
  const programs = convolutionFor({ software: false, limits: UNLIMITED, features: [] });
  const { inputs, steps, outputs } = layOutForward(graph, 1, { ...programs, precision });
  const constant = constantValues(steps);
  const program = programOf(
    steps.filter(({ output }) => !constant.has(output)),
    outputs,
  );
  const known = program.needs.map((value) => [value, { shape: value.shape }] as const);
  const counter = countingEngine(inputs[0].shape);
  program.run(counter.engine, new Map<RecordedValue, Resident>(known));
  const stays = program.needs.filter((value) => value.constant || constant.has(value));
  return { ...counter.counted(), weights: stays.reduce((sum, { shape }) => sum + bytesOf(shape), 0) };
}

/** An engine that computes nothing and counts the bytes of what is alive. */
function countingEngine(input: Shape) {
  const alive = new Set<Resident>();
  let used = bytesOf(input);
  let [largest, most] = [used, used];
  const refuse = () => {
    throw new TypeError('Bytes are counted of programs that only run kernels.');
  };
  const engine: Engine = {
    name: 'counting',
    run(kernel, residents, options) {
      const shapes = mapNamed(kernel.inputs, (name) => residents[name].shape);
      const made: Resident = { shape: kernel.plan(shapes, options).output };
      alive.add(made);
      used += bytesOf(made.shape);
      largest = Math.max(largest, bytesOf(made.shape));
      most = Math.max(most, used);
      return made;
    },
    release(...residents) {
      for (const resident of residents) if (alive.delete(resident)) used -= bytesOf(resident.shape);
    },
    upload: refuse,
    download: refuse,
    scope: (work) => work(),
  };
  return { engine, counted: () => ({ largest, alive: most }) };
}

function bytesOf(shape: Shape): number {
  return 4 * sizeOf(shape);
}

const UNLIMITED = {
  maxComputeInvocationsPerWorkgroup: Number.POSITIVE_INFINITY,
  maxComputeWorkgroupStorageSize: Number.POSITIVE_INFINITY,
};
