import type { Kernel, Named } from './kernel.ts';
import type { Shape, Tensor } from './tensor.ts';

/** A tensor kept where its engine computes. Only the engine that made it can read it. */
export interface Resident {
  readonly shape: Shape;
}

/** Runs kernels: on the CPU in plain loops, on a GPU, or by writing down ONNX nodes. */
export interface Engine {
  readonly name: string;
  upload(source: Tensor): Resident;
  /** Runs a kernel. @throws ShapeError or RangeError from its plan, and where a tensor would hold no number */
  run<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
  ): Resident;
  /** The numbers of a resident. On a GPU this is where errors of earlier runs are thrown. */
  download(source: Resident): Promise<Tensor>;
  /** Gives memory back before its scope ends, or where there is no scope. The residents cannot be used afterwards. */
  release(...residents: readonly Resident[]): void;
  /** Frees what `work` left behind, except the residents it returns. */
  scope<T extends Resident | readonly Resident[]>(work: () => T): T;
}
