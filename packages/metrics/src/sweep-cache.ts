import type { Tensor } from '@cambium/gpu-kernels';
import type { SweepCache } from './types.ts';

/**
 * Keeps what every map of one image and network shares: give the same cache to all their subjects, and no other's.
 * Two requests of one key at the same time share one run.
 */
export function sweepCache(): SweepCache {
  const kept = new Map<string, Promise<unknown>>();
  return {
    once<T>(key: string, work: () => Promise<T>): Promise<T> {
      const known = kept.get(key) as Promise<T> | undefined; // a key names one computation, so one type
      if (known) return known;
      const running = work();
      kept.set(key, running);
      running.catch(() => kept.delete(key)); // the next request tries again
      return running;
    },
  };
}

/** A key for a map: equal for equal numbers, and as good as never for others. */
export function keyOfMap({ data }: Tensor): string {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  let forward = 0x811c9dc5; // FNV-1a over words, from both ends
  let backward = 0x811c9dc5;
  for (let index = 0; index < words.length; index++) {
    forward = Math.imul(forward ^ words[index], 0x01000193);
    backward = Math.imul(backward ^ words[words.length - 1 - index], 0x01000193);
  }
  return `${data.length}-${forward >>> 0}-${backward >>> 0}`;
}
