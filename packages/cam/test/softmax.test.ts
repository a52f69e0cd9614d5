import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { probabilityOf, softmax } from '../src/softmax.ts';

test('one probability has the same bits as all of them', () => {
  const random = numpyRandom(6);
  for (const length of [1, 2, 10, 1000]) {
    const { data } = uniformTensor(random, [length], -30, 30);
    expect([...data.keys()].map((index) => probabilityOf(data, index))).toEqual([...softmax(data)]);
  }
});
