import type { Kernel, Named } from '../kernel.ts';
import { mapNamed } from '../named.ts';
import { type Shape, sizeOf } from '../tensor.ts';

/** What the device lets a kernel bind: bytes, and what offsets must be multiples of. */
export interface BindingLimits {
  readonly bytes: number;
  readonly alignment: number;
}

/** A part of a run: rows `start` (inclusive) to `end` (exclusive) of the output and of the inputs named in `split`. */
export interface Portion<In extends string> {
  readonly start: number;
  readonly end: number;
  readonly split: readonly In[];
}

/** A run that may have to be cut; `run` names it in errors. */
export interface Run<In extends string, O> {
  readonly shapes: Named<In, Shape>;
  readonly output: Shape;
  readonly options: O;
  readonly run: string;
}

/** Bytes of a tensor of this shape. */
export function bytesOf(shape: Shape): number {
  return 4 * sizeOf(shape);
}

/**
 * Cuts a run whose tensors are larger than a binding may be into portions of rows. One that fits is a single portion with
 * nothing split.
 *
 * @throws RangeError when the kernel cannot be cut so that every part fits
 */
export function cutIntoPortions<In extends string, U extends string, O>(
  kernel: Kernel<In, U, O>,
  { shapes, output, options, run }: Run<In, O>,
  limits: BindingLimits,
): readonly Portion<In>[] {
  const largest = Math.max(bytesOf(output), ...kernel.inputs.map((name) => bytesOf(shapes[name])));
  if (largest <= limits.bytes) return [{ start: 0, end: output[0] ?? 1, split: [] }];
  const split = output.length > 0 ? (kernel.rows?.(shapes, options) ?? []) : [];
  const whole = kernel.inputs.filter((name) => !split.includes(name));
  const wholeFit = whole.every((name) => bytesOf(shapes[name]) <= limits.bytes);
  const rows = rowsThatFit([output, ...split.map((name) => shapes[name])], limits);
  if (split.length === 0 || !wholeFit || rows === 0) {
    const why = split.length === 0 ? ', and this kernel cannot be run a few rows at a time' : '';
    throw new RangeError(
      `${run} binds ${largest} bytes at once, but maxStorageBufferBindingSize is ${limits.bytes}${why}. Use a smaller batch.`,
    );
  }
  return Array.from({ length: Math.ceil(output[0] / rows) }, (_, index) => ({
    start: index * rows,
    end: Math.min((index + 1) * rows, output[0]),
    split,
  }));
}

/** Shapes of a portion's inputs. */
export function portionShapes<In extends string>(
  inputs: readonly In[],
  shapes: Named<In, Shape>,
  { start, end, split }: Portion<In>,
): Named<In, Shape> {
  return mapNamed(inputs, (name) => (split.includes(name) ? shapes[name].with(0, end - start) : shapes[name]));
}

/** How many rows of each tensor fit, so that every portion begins where a binding may. */
function rowsThatFit(shapes: readonly Shape[], { bytes, alignment }: BindingLimits): number {
  const rowBytes = shapes.map((shape) => bytesOf(shape.slice(1)));
  const step = Math.max(...rowBytes.map((row) => alignment / commonPowerOfTwo(row, alignment)));
  return Math.floor(bytes / Math.max(...rowBytes) / step) * step;
}

/** The largest power of two that divides `bytes`, at most `most`. */
function commonPowerOfTwo(bytes: number, most: number): number {
  let power = 1;
  while (power < most && bytes % (2 * power) === 0) power *= 2;
  return power;
}
