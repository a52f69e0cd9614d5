import { numpyRandom, rows, type Tensor, tensor, uniformTensor, zeros } from '@cambium/gpu-kernels';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type AnyCamMethod,
  type Classifier,
  explain,
  finishMap,
  ModelError,
  methods,
  ortClassifier,
  probeImage,
  scoreCamVariants,
} from '../src/index.ts';
import { largestDifference } from './support/compare.ts';
import { plainNet } from './support/tiny-nets.ts';

const classifier = ortClassifier(plainNet());
afterAll(() => classifier.close());
const images = uniformTensor(numpyRandom(3), [4, 3, 6, 6]);
const one = rows(images, 0, 1);

/** The same classifier, counting the images that pass through it. */
function counted(inner: Classifier): { classifier: Classifier; forwards: () => number } {
  let count = 0;
  const counting: Classifier = {
    ...inner,
    predict: (batch) => {
      count += batch.shape[0];
      return inner.predict(batch);
    },
    predictVariants: (batch) => {
      count += batch.inputs[batch.rows].shape[0];
      return inner.predictVariants(batch);
    },
  };
  return { classifier: counting, forwards: () => count };
}

describe.each(Object.values(methods) as AnyCamMethod[])('$name', (method) => {
  test('makes a map of the image’s size in [0, 1] and a raw one of the layer’s', async () => {
    const shown = await probeImage(classifier, one, { seed: 1 });
    const { map, coarse, degenerate, weights } = await explain(await shown.at('late', 1), method);
    expect(map.shape).toEqual([6, 6]);
    expect(coarse.shape).toEqual([3, 3]);
    expect(weights.shape).toEqual([7]);
    expect(degenerate).toBe(false);
    expect(map.data.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(Math.max(...map.data)).toBeGreaterThan(0.5);
  });

  test('gives the same bytes twice, and whatever was asked before', async () => {
    const first = await explain(await (await probeImage(classifier, one)).at('late', 1), method);
    const shown = await probeImage(classifier, one, { layers: ['early'] });
    await explain(await shown.at('early', 0), method);
    const second = await explain(await shown.at('late', 1), method);
    expect(second.map.data).toEqual(first.map.data);
    expect(second.coarse.data).toEqual(first.coarse.data);
  });

  test('a layer that is 0 everywhere gives zeros, marked as degenerate', async () => {
    const probe = await (await probeImage(classifier, one)).at('late', 1);
    const silent = { ...probe, activations: zeros(7, 3, 3), backward: async () => zeros(7, 3, 3) };
    const { map, degenerate } = await explain(silent, method);
    expect(degenerate).toBe(true);
    expect(map.data.every((value) => value === 0)).toBe(true);
  });

  test('does not depend on how many masked images are tried at once', async () => {
    const [small, large] = await Promise.all(
      [1, 5].map(async (batch) => explain(await (await probeImage(classifier, one, { batch })).at('late', 2), method)),
    );
    expect(largestDifference(small.map.data, large.map.data)).toBeLessThan(1e-5);
  });
});

describe('score-cam', () => {
  const blocks = (values: readonly number[][]): Tensor => tensor(values.flat(), [values.length, 2, 2]);
  const activations = blocks([
    [0, 1, 2, 3],
    [0, 0, 0, 0],
    [0, 2, 4, 6],
    [5, 5, 5, 5],
    [3, 1, 0, 2],
  ]);

  test('spends one forward pass on channels that make the same mask, and none on constant ones', async () => {
    const { classifier: counting, forwards } = counted(classifier);
    const probe = { ...(await layerProbe(counting)), target: 0 };
    await explain(probe, methods['score-cam']);
    expect(forwards()).toBe(2);
  });

  test('spends nothing on another target, and one blank image on a variant that scores constant channels', async () => {
    const { classifier: counting, forwards } = counted(classifier);
    const shown = await layerProbe(counting);
    await explain(shown, methods['score-cam']);
    const before = forwards();
    await explain({ ...shown, target: 3 }, methods['score-cam']);
    await explain(shown, methods['score-cam'], { variant: 'paper' });
    expect(forwards()).toBe(before + 1); // the paper's form subtracts the blank image
    await explain(shown, methods['score-cam'], { variant: 'pytorch-grad-cam' });
    expect(forwards()).toBe(before + 3); // two new masks; the blank image is known
  });

  test('gives equal masks equal weights, and constant channels weight 0 in the authors’ form', async () => {
    const { weights } = await explain(await layerProbe(classifier), methods['score-cam']);
    expect(weights.data[0]).toBe(weights.data[2]);
    expect([weights.data[1], weights.data[3]]).toEqual([0, 0]);
    expect(weights.data[4]).toBeGreaterThan(0);
  });

  test.each(['author', 'pytorch-grad-cam', 'torch-cam', 'faster'] as const)(
    'in the form of %s, a channel’s logits do not depend on which others are asked for',
    async (variant) => {
      const { mask } = scoreCamVariants[variant];
      const faint = blocks([
        [0, 0, 0, 5],
        [0, 0, 0, 1e-9], // the same picture, but ε of some conventions makes its mask fainter
        [1, 0, 2, 3],
      ]);
      const together = await (await layerProbe(classifier, faint)).maskedLogits([0, 1, 2], mask);
      for (const channel of [0, 1, 2]) {
        const alone = await (await layerProbe(classifier, faint)).maskedLogits([channel], mask);
        expect(largestDifference(rows(together, channel, channel + 1).data, alone.data)).toBeLessThan(1e-5);
      }
    },
  );

  test('refuses a number of channels that is not a positive whole one', async () => {
    for (const channels of [0, -1, 1.5, Number.NaN]) {
      await expect(explain(await layerProbe(classifier), methods['score-cam'], { channels })).rejects.toThrow(
        RangeError,
      );
    }
  });

  test.each(Object.keys(scoreCamVariants) as (keyof typeof scoreCamVariants)[])(
    '%s gives finite weights',
    async (variant) => {
      const { weights } = await explain(await layerProbe(classifier), methods['score-cam'], { variant });
      expect(weights.data.every(Number.isFinite)).toBe(true);
    },
  );

  test('stops before the next batch when it is told to', async () => {
    const stop = new AbortController();
    const shown = await probeImage(classifier, one, { batch: 2, signal: stop.signal, onMasked: () => stop.abort() });
    await expect(explain(await shown.at('late', 0), methods['score-cam'])).rejects.toThrow(/abort/i);
  });

  /** A probe whose layer holds the hand-made activations above. */
  async function layerProbe(inner: Classifier, values = activations) {
    const layered: Classifier = {
      ...inner,
      values: async (batch, layers) => {
        const { logits } = await classifier.values(batch, []);
        return {
          logits,
          layers: Object.fromEntries(layers.map((layer) => [layer, tensor(values.data, [1, ...values.shape])])),
        };
      },
    };
    return (await probeImage(layered, one, { layers: ['late'] })).at('late', 0);
  }
});

describe('explain', () => {
  test('refuses a raw map that is not finite, naming method and layer', async () => {
    const probe = await (await probeImage(classifier, one)).at('late', 1);
    const broken = { ...probe, backward: async () => tensor(new Float32Array(63).fill(Number.NaN), [7, 3, 3]) };
    await expect(explain(broken, methods['grad-cam'])).rejects.toThrow(ModelError);
    await expect(explain(broken, methods['grad-cam'])).rejects.toThrow(/grad-cam at late/);
  });

  test('a part of the finish can be replaced: no ReLU and no scaling leaves the signed map', async () => {
    const probe = await (await probeImage(classifier, one)).at('late', 1);
    const { map, coarse } = await explain(probe, methods['grad-cam'], {}, { relu: false, minMax: 'none' });
    expect(Math.max(...map.data)).toBeLessThanOrEqual(Math.max(...coarse.data) + 1e-6);
    expect(Math.min(...map.data)).toBeGreaterThanOrEqual(Math.min(...coarse.data) - 1e-6);
  });
});

describe('finishMap', () => {
  const finish = { relu: true, minMax: 'both', resize: 'half-pixel', epsilon: 1e-7 } as const;

  test('a map without positive evidence is degenerate under ReLU', () => {
    const { map, degenerate } = finishMap(tensor([-1, -2, -3, -4], [2, 2]), finish, [4, 4]);
    expect(degenerate).toBe(true);
    expect([...map.data]).toEqual(Array(16).fill(0));
  });

  test('2×2 to 4×4 at half pixels, scaled after resizing, is the map worked by hand', () => {
    const { map } = finishMap(tensor([0, 1, 2, 4], [2, 2]), { ...finish, minMax: 'after-resize', epsilon: 0 }, [4, 4]);
    const expected = [0, 0.25, 0.75, 1, 0.5, 0.8125, 1.4375, 1.75, 1.5, 1.9375, 2.8125, 3.25, 2, 2.5, 3.5, 4].map(
      (v) => v / 4,
    );
    expect(largestDifference(map.data, expected)).toBeLessThan(1e-6);
  });
});
