import { filled, tensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { modelParameterRandomisation } from '../src/model-parameter-randomisation.ts';
import type { Randomise, Subject } from '../src/types.ts';
import { numberOf, randomSubject, scaled } from './support/subjects.ts';

/** A network of three layers that remembers what was drawn anew; the map is turned around once `b` is random. */
function network(subject: Subject, asked: string[] = []): Randomise {
  return {
    layers: ['c', 'b', 'a'],
    explainer: async (layers, seed) => {
      asked.push(`${layers.join('+')}@${seed}`);
      return async () => (layers.includes('b') ? scaled(subject.map, -1) : subject.map);
    },
  };
}

describe('model parameter randomisation', () => {
  const subject = randomSubject(1);

  test('draws layers anew from the output, one more at each step', async () => {
    const asked: string[] = [];
    const score = await modelParameterRandomisation.score(
      { ...subject, randomise: network(subject, asked) },
      { absolute: false },
    );
    expect(asked).toEqual(['c@42', 'c+b@42', 'c+b+a@42']);
    expect(numberOf(score)).toBeCloseTo((1 - 1 - 1) / 3, 12);
    const similarities = [1, -1, -1].map((value) => expect.closeTo(value, 12));
    expect(score).toMatchObject({ detail: { similarities, flat: 0 } });
  });

  test.each([
    ['bottom-up', ['a@7', 'a+b@7', 'a+b+c@7'], -1 / 3],
    ['independent', ['c@7', 'b@7', 'a@7'], 1 / 3],
  ] as const)('goes %s', async (order, steps, value) => {
    const asked: string[] = [];
    const randomise = network(subject, asked);
    const score = await modelParameterRandomisation.score(
      { ...subject, randomise },
      { order, seed: 7, absolute: false },
    );
    expect(asked).toEqual(steps);
    expect(numberOf(score)).toBeCloseTo(value, 12);
  });

  test('an explainer that ignores the parameters scores 1, and magnitudes hide a sign', async () => {
    const randomise = network(subject);
    expect(numberOf(await modelParameterRandomisation.score({ ...subject, randomise }))).toBeCloseTo(1, 12);
  });

  test('stops after as many layers as it is told, which is what it costs', async () => {
    const asked: string[] = [];
    await modelParameterRandomisation.score({ ...subject, randomise: network(subject, asked) }, { layers: 2 });
    expect(asked).toHaveLength(2);
    const { defaults, cost } = modelParameterRandomisation;
    expect(cost({ ...defaults, layers: 2 }, [3, 4, 5]).explanations).toBe(2);
    expect(cost(defaults, [3, 4, 5], 3).explanations).toBe(3);
    expect(cost(defaults, [3, 4, 5]).explanations).toBe(54);
  });

  test('leaves flat maps out, and has no score when all are', async () => {
    const flatAfter = (layer: string): Randomise => ({
      layers: ['c', 'b'],
      explainer: async (layers) => async () => (layers.includes(layer) ? filled(0.2, 4, 5) : subject.map),
    });
    const some = await modelParameterRandomisation.score({ ...subject, randomise: flatAfter('b') });
    expect(some).toMatchObject({ value: expect.closeTo(1, 12), detail: { flat: 1 } });
    const none = await modelParameterRandomisation.score({ ...subject, randomise: flatAfter('c') });
    expect(none).toEqual({ value: null, reason: expect.stringContaining('the same everywhere') });
  });

  test('has no score without a network to draw anew, or one without layers', async () => {
    expect(await modelParameterRandomisation.score(subject)).toHaveProperty('reason');
    const randomise: Randomise = { layers: [], explainer: async () => async () => tensor([1], [1, 1]) };
    expect(await modelParameterRandomisation.score({ ...subject, randomise })).toEqual({
      value: null,
      reason: 'model-parameter-randomisation has no score here: the network has no layers.',
    });
  });

  test('refuses an order it does not know', async () => {
    const randomise = network(subject);
    const order = 'sideways' as never; // what a caller without types might give
    await expect(modelParameterRandomisation.score({ ...subject, randomise }, { order })).rejects.toThrow(
      'model-parameter-randomisation expected order to be one of top-down, bottom-up, independent, got sideways.',
    );
  });
});
