import { numpyRandom, type Random, type Tensor } from '@cambium/gpu-kernels';
import { type GoldenSet, goldenSet, goldenTiny } from '../../../gpu-kernels/test/support/golden.ts';
import { type Subject, sweepCache } from '../../src/index.ts';
import { item, linearModel } from './linear.ts';

/** A recorded draw of NumPy's global generator. */
export interface Draw {
  readonly call: string;
  readonly args: readonly number[];
  readonly result: readonly number[] | null;
}

/** What the peer returned for one call, or that it raised. */
export interface Recorded {
  readonly scores?: readonly (number | readonly number[])[];
  readonly raises?: string;
  readonly rng: { readonly draws: readonly (Draw | string)[] };
  readonly pixels?: { readonly [name: string]: readonly number[] };
  readonly steps?: { readonly l1: number[][]; readonly l2: number[][]; readonly dx: number[] };
  readonly patch_order?: readonly (readonly number[])[];
  readonly auc_trapz_dx1?: readonly number[];
}

/** One recorded call on a toy: `toy_c1/RegionPerturbation/a/batch/…`. */
export interface ToyCase {
  readonly name: string;
  readonly toy: string;
  readonly metric: string;
  /** Which of the toy's maps: a, a_signed, a_random, a_ties. */
  readonly map: string;
  /** `batch`: all images in one call; `first`: the first alone. */
  readonly scope: string;
  readonly params: { readonly [name: string]: unknown };
  readonly recorded: Recorded;
}

/** The recorded calls of a metric on toys, without the edge cases. */
export function toyCases(metric: string): ToyCase[] {
  return goldenSet('metrics').values.flatMap(({ name, value, params }) => {
    const [toy, found, map, scope] = name.split('/');
    if (!toy.startsWith('toy') || found !== metric) return [];
    const recorded = value as Recorded; // as the golden README describes it
    return [{ name, toy, metric, map, scope, params: (params.metric_params ?? {}) as ToyCase['params'], recorded }];
  });
}

/** The subjects of a toy, one for each image, as each other's companions. */
export function toySubjects(toy: string, map: string, scope = 'batch'): Subject[] {
  const set = goldenSet('metrics');
  const array = (name: string): Tensor => requireArray(set, `${toy}/${name}`);
  const images = array('x');
  const shape = images.shape.slice(2);
  const model = linearModel(array('W'), array('b'));
  const companions: Subject[] = [];
  for (let index = 0; index < (scope === 'first' ? 1 : images.shape[0]); index++) {
    companions.push({
      image: item(images, index),
      target: array('y').data[index],
      map: item(array(map), index, shape),
      mask: item(array('s'), index, shape),
      ...model,
      companions,
      sweeps: sweepCache(),
    });
  }
  return companions;
}

function requireArray(set: GoldenSet, name: string): Tensor {
  const found = set.array(name);
  if (!found) throw new Error(`The golden set has no array ${name}.`);
  return found;
}

/** The case M of the tiny set: two images, a linear model of five classes. */
export interface TinyMetrics {
  readonly batch: { readonly [name: string]: readonly (number | readonly number[])[] };
  readonly perImage: { readonly [name: string]: readonly (readonly number[])[] };
}

interface TinyInputs {
  readonly x: number[][][][];
  readonly w: number[][];
  readonly y: number[];
  readonly a: number[][][][];
  readonly s: number[][][][];
}

/** Expected values of the case M. */
export function tinyExpected(): TinyMetrics {
  return goldenTiny<TinyMetrics>('quantus_tiny');
}

/** The subjects of the case M, as each other's companions. */
export function tinySubjects(): Subject[] {
  const { x, w, y, a, s } = goldenTiny<TinyInputs>('quantus_tiny');
  const model = linearModel(nested(w, [5, 72]));
  const companions: Subject[] = [];
  for (const [index, target] of y.entries()) {
    companions.push({
      image: nested(x[index], [3, 4, 6]),
      target,
      map: nested(a[index], [4, 6]),
      mask: nested(s[index], [4, 6]),
      ...model,
      companions,
      sweeps: sweepCache(),
    });
  }
  return companions;
}

function nested(values: readonly unknown[], shape: readonly number[]): Tensor {
  return { data: Float32Array.from(values.flat(4) as number[]), shape }; // nested lists of numbers
}

/** A stream in which image `index` of a batch finds its own part of the draws of a batched call. */
export function shareOf(index: number, count: number, seed: number): Random {
  const stream = numpyRandom(seed);
  const own = <T>(draw: () => T): T => Array.from({ length: count }, draw)[index];
  return {
    uniform: () => own(stream.uniform),
    uniformBetween: (low, high) => low + (high - low) * own(stream.uniform),
    interval: (max) => own(() => stream.interval(max)),
    integer: (low, high) => own(() => stream.integer(low, high)),
    permutation: (length) => own(() => stream.permutation(length)),
    normal: () => own(stream.normal),
  };
}
