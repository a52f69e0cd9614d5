import type { OnnxTrace } from './onnx-trace.ts';
import type { Random } from './random.ts';
import type { Shape, Tensor } from './tensor.ts';

/**
 * One computation, said three times: `reference` (the meaning, in plain loops), `wgsl` (for a GPU) and, where ONNX
 * has the operation, `onnx` (the nodes that compute it). A test over the registry holds the three to each other.
 *
 * Bindings of the WGSL program follow the record: the inputs in their order, then the output, then one uniform
 * buffer whose fields are the `uniforms` in their order, all in `@group(0)`.
 */
export interface Kernel<In extends string, U extends string, O = void> {
  readonly name: string;
  readonly inputs: readonly In[];
  /** Fields of the uniform buffer, in order. */
  readonly uniforms: { readonly [name in U]: 'u32' | 'f32' };
  /**
   * Derives everything a run needs from the shapes. Engines call it through `planRun`, which refuses tensors without numbers.
   *
   * @throws ShapeError or RangeError when the shapes do not fit
   */
  plan(shapes: Named<In, Shape>, options: O): Plan<U>;
  /**
   * The inputs that have a row for each row of the output, where a row of the output needs nothing else of them. An engine
   * may then make the output a few rows at a time. Left out where there is no such split.
   */
  rows?(shapes: Named<In, Shape>, options: O): readonly In[];
  /** The plainest correct loops. Writes every element of `output`, reads no other. */
  reference(inputs: Named<In, Float32Array>, uniforms: Named<U, number>, output: Float32Array): void;
  /** A whole program, or several of which the first whose features the device has is used. */
  readonly wgsl: string | readonly Variant[];
  /**
   * Appends the nodes that compute the kernel to a trace and returns the name of its output. The nodes must hold for
   * any length of axis 0 of a batched input: the length at tracing time is never written into a constant.
   */
  onnx?(trace: OnnxTrace, call: Call<In, O>): string;
  /** Tensors that hold halves, two in each number's memory; unless said all hold float32. */
  readonly halves?: readonly (In | 'output')[];
  /** Largest normalised mean squared error between two voices; 1e-7 unless a kernel says otherwise, with its reason. */
  readonly tolerance?: number;
  /** Inputs and options to try the kernel on: every axis larger than one and unequal, no zero-sized tensors. */
  samples(random: Random): readonly (readonly [Named<In, Tensor>, O])[];
}

/** What one run needs beyond its inputs. */
export interface Plan<U extends string> {
  readonly output: Shape;
  readonly uniforms: Named<U, number>;
  /** Workgroups in x, y, z; a count above the device's limit is folded by the engine. */
  readonly workgroups: readonly [number, number, number];
}

/** A WGSL program that needs features of the device. */
export interface Variant {
  readonly features: readonly string[];
  readonly code: string;
  /** Values of the program's `override` constants: tuning numbers, never sizes. */
  readonly constants?: { readonly [name: string]: number };
}

/** One run of a kernel as the ONNX voice sees it: names of its inputs, their shapes, the planned output shape. */
export interface Call<In extends string, O> {
  readonly inputs: Named<In, string>;
  readonly shapes: Named<In, Shape>;
  readonly output: Shape;
  readonly options: O;
}

export type Named<Name extends string, T> = { readonly [name in Name]: T };

/** Any kernel: the element type of a registry. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds kernels of every signature
export type AnyKernel = Kernel<any, any, any>;
