import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { mapDefaults, mapScaling } from '../src/normalise.ts';
import { pairwiseDistances, plainDistances } from '../src/pairwise-distances.ts';

describe('pairwiseDistances', () => {
  test.each([
    [2, 1],
    [3, 45],
    [5, 64],
    [200, 47],
  ])('%i maps of side %i have the distances of the plain loops, to the bit', (count, side) => {
    const random = numpyRandom(count);
    const maps = Array.from({ length: count }, () => {
      const map = uniformTensor(random, [side, side], -1, 1);
      map.data[0] = 1; // never varies
      return map;
    });
    for (const normalise of ['max', 'negative', 'second-moment', 'none'] as const) {
      for (const absolute of [true, false]) {
        const scalings = maps.map(
          (map) => mapScaling({ map } as Parameters<typeof mapScaling>[0], { ...mapDefaults, normalise, absolute }), // nothing else of a subject is read
        );
        expect(pairwiseDistances(scalings)).toEqual(plainDistances(scalings));
      }
    }
  });
});
