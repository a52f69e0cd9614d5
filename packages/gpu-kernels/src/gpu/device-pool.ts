import { BufferPool, type PoolOptions } from '../buffer-pool.ts';
import { KernelError } from '../errors.ts';
import type { Checks } from './checks.ts';

/** A pool of a device's buffers. What becomes of making one is watched; no limit but the device's unless said. */
export function devicePool(
  device: GPUDevice,
  checks: Checks,
  { limit = Number.POSITIVE_INFINITY, ...options }: Pick<PoolOptions, 'usage' | 'beforeDestroy'> & Partial<PoolOptions>,
): BufferPool {
  return new BufferPool({
    ...options,
    limit,
    maxBufferSize: device.limits.maxBufferSize,
    create(descriptor) {
      const { result, outcome } = checks.watch(
        () => device.createBuffer(descriptor),
        (kind, message) => new KernelError(kind, `${descriptor.label}, ${descriptor.size} bytes,`, message),
      );
      return { buffer: result, outcome };
    },
  });
}
