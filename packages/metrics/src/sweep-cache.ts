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
  const words = new Int32Array(data.buffer, data.byteOffset, data.length);
  const start = 0x811c9dc5 | 0; // FNV-1a over every fourth word: no chain waits for another
  let [first, second, third, fourth] = [start, start, start, start];
  const mixed = (hash: number, word: number) => Math.imul(hash ^ word, 0x01000193);
  let index = 0;
  for (; index + 3 < words.length; index += 4) {
    first = mixed(first, words[index]);
    second = mixed(second, words[index + 1]);
    third = mixed(third, words[index + 2]);
    fourth = mixed(fourth, words[index + 3]);
  }
  for (; index < words.length; index++) first = mixed(first, words[index]);
  return `${data.length}-${[first, second, third, fourth].map((hash) => hash >>> 0).join('-')}`;
}
