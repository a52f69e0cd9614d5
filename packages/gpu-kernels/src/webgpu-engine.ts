import type { PoolUse } from './buffer-pool.ts';
import type { Engine, Resident } from './engine.ts';
import { GpuEngine } from './gpu/gpu-engine.ts';
import type { Timing } from './gpu/stopwatch.ts';
import type { Kernel, Named } from './kernel.ts';

export interface WebgpuEngineOptions {
  /** Bytes of GPU memory that tensors may take, those kept for reuse included. No limit unless said. */
  readonly memoryLimit?: number;
  /** Bytes of a tensor that a kernel sees at once; the device's maxStorageBufferBindingSize unless said. */
  readonly bindingLimit?: number;
  /** Workgroups of a dispatch along one dimension; the device's maxComputeWorkgroupsPerDimension unless said. */
  readonly workgroupLimit?: number;
}

/** Bytes of GPU memory that an engine has taken. */
export interface MemoryUse extends PoolUse {
  /** In buffers through which results are read, under way or kept for reuse. Neither `peak` nor the limit contains them. */
  readonly readBack: number;
  /** In memory through which tensors of a megabyte and more are written, under way or kept for the next; not in `peak` either. */
  readonly upload: number;
}

/** An engine that computes on a GPU. Whoever opens it disposes of it, or declares it with `using`. */
export interface WebgpuEngine extends Engine, Disposable {
  /** GPU memory that tensors and the reading of them take. */
  memory(): MemoryUse;
  /**
   * Median of the seconds that the GPU takes for a run; its output is not kept. Whether the numbers are right is seen by running it.
   *
   * @throws what `run` does, and KernelError when the GPU refuses it
   */
  time<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
    timing: Timing,
  ): Promise<number>;
  /** Where these times come from: the device's own clock, or ours around a batch of runs that it has finished. */
  readonly clock: 'timestamps' | 'wall';
  /** Sends the work so far to the GPU, so that it is not refused together with what follows. */
  submit(): void;
  /** Waits until the GPU has done all work so far. @throws KernelError that no download threw yet, DeviceLostError */
  finished(): Promise<void>;
  /** Frees the memory that is kept for reuse. */
  trim(): void;
  /** Frees all memory. The device stays open: it belongs to whoever opened it. */
  dispose(): void;
}

/**
 * Opens an engine on a WebGPU device.
 *
 * `run` returns at once: work is recorded, and submitted in batches or when a result is asked for. What shapes, the memory
 * limit and the device's limits forbid is thrown by `run` itself. What the GPU has to object to is known later: a download
 * throws the KernelError, with kernel and shapes, that kept its resident or anything it was computed from from being written,
 * every time it is tried; other residents stay as they were. `finished` throws what no download has thrown. When the device is
 * lost, pending downloads reject with a DeviceLostError and later calls throw it. Tensors larger than a binding are computed
 * a few rows at a time, where the kernel has rows.
 *
 * @param device from `openDevice`, or any other
 */
export function webgpuEngine(device: GPUDevice, options: WebgpuEngineOptions = {}): WebgpuEngine {
  return new GpuEngine(device, options);
}
