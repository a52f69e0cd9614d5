import {
  type AnyKernel,
  type ConvolutionShape,
  convolutionPrograms,
  halfConvolutionPrograms,
  type OpenedDevice,
  type Timing,
  type WebgpuEngine,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { type ChoosingDevice, convolutionFor } from '../classifiers/convolution-for.ts';
import type { Graph } from '../onnx/graph.ts';
import { type NetworkConvolution, networkConvolutions } from './network-convolutions.ts';
import { openTrial, requireReference } from './trial.ts';
import type { TunedConvolution, Tuning } from './tuning.ts';

export interface TuneOptions {
  /** Images of a batch: as many as the classifier will take. */
  readonly batch: number;
  /** `f32` unless said. */
  readonly precision?: 'f32' | 'f16';
  /** How long each program is timed; unless said, the median of seven batches of 10 ms. */
  readonly timing?: Timing;
  /** Programs to try, in place of all that the device can run: to test another. */
  readonly programs?: (shape: ConvolutionShape) => readonly AnyKernel[];
  /** Called with each convolution when it is done. */
  readonly onConvolution?: (timed: TimedConvolution, done: number, total: number) => void;
  /** Stops before the next program. */
  readonly signal?: AbortSignal;
}

/** A convolution of the network with the programs that were tried on it. */
export interface TimedConvolution extends TunedConvolution {
  /** How often the network computes it. */
  readonly count: number;
  /** Additions and multiplications of one run, zeros in the padding of channels included. */
  readonly flops: number;
  /** What computes it untuned. */
  readonly usual: string;
  readonly programs: readonly TriedProgram[];
}

export interface TriedProgram {
  readonly name: string;
  /** Median seconds of a run; null where it was refused. */
  readonly seconds: number | null;
  /** Why it was not timed. */
  readonly refused?: string;
}

/** By how much a program must beat the usual one to take its place: less is noise. */
const GAIN = 1.02;
/** How many times as long as the best so far a program may take before it is timed once only. */
const HOPELESS = 4;

/**
 * Times all programs that compute a network's convolutions on a device, at one batch, and finds the fastest for each.
 *
 * Every program is held to float32 on the device before it is timed; one that is wrong or does not run is refused, with the
 * reason. Times are the device's own where it has a clock.
 *
 * @throws ModelError when an operation of the network has no kernels; KernelError when the batch is too large for the device;
 * Error when no program is right for a convolution
 */
export async function tune(
  opened: OpenedDevice,
  graph: Graph,
  options: TuneOptions,
): Promise<readonly TimedConvolution[]> {
  const { batch, precision = 'f32', onConvolution, signal } = options;
  const convolutions = networkConvolutions(graph, batch);
  using engine = webgpuEngine(opened.device);
  await requireReference(engine);
  const timed: TimedConvolution[] = [];
  for (const convolution of convolutions) {
    const { shape, count } = convolution;
    const usual = usualFor(opened, precision, shape);
    const programs = await tryAll(engine, convolution, {
      precision,
      usual,
      programs: options.programs?.(shape) ?? programsFor(opened, precision, shape),
      timing: options.timing ?? { rounds: 7, batchSeconds: 0.01 },
      signal,
    });
    const flops = 2 * shape.pixels * shape.depth * shape.channels;
    const winner = winnerOf(programs, usual, shape);
    timed.push({ precision, shape, winner, usual, count, flops, programs });
    onConvolution?.(timed[timed.length - 1], timed.length, convolutions.length);
  }
  return timed;
}

/** What `webgpuClassifier` needs to know of it. */
export function tuningOf(timed: readonly TimedConvolution[]): Tuning {
  return { convolutions: timed.map(({ precision, shape, winner }) => ({ precision, shape, winner })) };
}

/** All programs for a convolution, those that can be chosen by name. */
export function programsFor(
  device: ChoosingDevice,
  precision: 'f32' | 'f16',
  shape: ConvolutionShape,
): readonly AnyKernel[] {
  return precision === 'f32' ? convolutionPrograms(device, shape.options) : halfConvolutionPrograms(device, shape);
}

function usualFor(device: ChoosingDevice, precision: 'f32' | 'f16', shape: ConvolutionShape): string {
  const { convolution, halfConvolution } = convolutionFor(device);
  return (precision === 'f32' ? convolution(shape) : halfConvolution(shape)).name;
}

interface Tries {
  readonly precision: 'f32' | 'f16';
  readonly usual: string;
  readonly programs: readonly AnyKernel[];
  readonly timing: Timing;
  readonly signal: AbortSignal | undefined;
}

async function tryAll(
  engine: WebgpuEngine,
  convolution: NetworkConvolution,
  { precision, usual, programs, timing, signal }: Tries,
): Promise<readonly TriedProgram[]> {
  using trial = await openTrial(engine, convolution, precision);
  const tried: TriedProgram[] = [];
  let best = Number.POSITIVE_INFINITY;
  // the usual one first: it is what others must beat
  for (const program of programs.toSorted((a, b) => Number(b.name === usual) - Number(a.name === usual))) {
    signal?.throwIfAborted();
    const { name } = program;
    const refused = await trial.faultOf(program);
    if (refused !== undefined) {
      tried.push({ name, seconds: null, refused });
      continue;
    }
    const once = await trial.time(program, { rounds: 1, batchSeconds: 0 });
    const seconds = once > HOPELESS * best ? once : await trial.time(program, timing);
    best = Math.min(best, seconds);
    tried.push({ name, seconds });
  }
  return tried;
}

function winnerOf(programs: readonly TriedProgram[], usual: string, shape: ConvolutionShape): string {
  const right = programs.filter(({ seconds }) => seconds !== null);
  const secondsOf = ({ seconds }: TriedProgram) => seconds ?? Number.POSITIVE_INFINITY;
  const [fastest] = right.toSorted((a, b) => secondsOf(a) - secondsOf(b));
  const own = right.find(({ name }) => name === usual);
  if (fastest) return own && secondsOf(own) <= GAIN * secondsOf(fastest) ? usual : fastest.name;
  const reasons = programs.map(({ name, refused }) => `${name}: ${refused}`).join('; ');
  throw new Error(
    `No program computes the convolution of ${shape.pixels} pixels × ${shape.depth} × ${shape.channels} on this device (${reasons}).`,
  );
}
