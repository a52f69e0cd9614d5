import { describe, expect, test, vi } from 'vitest';
import {
  filled,
  maskImages,
  multiply,
  numpyRandom,
  type Predict,
  referenceEngine,
  ShapeError,
  sweep,
  type Tensor,
  tensor,
  uniformTensor,
  type VariantPredictor,
  variantPredictor,
} from '../src/index.ts';

/** Logits that tell the variants apart: the sum of the variant and its first number. */
const sums: Predict = async ({ data, shape }) => {
  const size = data.length / shape[0];
  const logits = Array.from({ length: shape[0] }, (_, row) => {
    const variant = data.subarray(row * size, (row + 1) * size);
    return [variant.reduce((a, b) => a + b), variant[0]];
  });
  return tensor(logits.flat(), [shape[0], 2]);
};

const classifier = variantPredictor(referenceEngine(), sums);
const image = uniformTensor(numpyRandom(1), [1, 3, 6, 7]);
const activations = uniformTensor(numpyRandom(2), [7, 2, 3], 0, 1);
const options = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 } as const;
const request = {
  classifier,
  kernel: maskImages,
  inputs: { image, activations },
  rows: 'activations',
  options,
} as const;

describe('sweep', () => {
  test.each([1, 2, 3, 7, 100])('batches of %i give the logits of one batch, in order', async (batch) => {
    const whole = await classifier.predictVariants(request);
    const swept = await sweep({ ...request, batch });
    expect(swept.shape).toEqual([7, 2]);
    expect(swept.data).toEqual(whole.data);
  });

  test('memory is one batch: no batch is larger than asked, the last is what is left', async () => {
    const sizes: number[] = [];
    const watching: Predict = async (variants) => {
      sizes.push(variants.shape[0]);
      return sums(variants);
    };
    await sweep({ ...request, classifier: variantPredictor(referenceEngine(), watching), batch: 3 });
    expect(sizes).toEqual([3, 3, 1]);
  });

  test('a classifier that takes several batches at once is asked ahead of its answers, and no further', async () => {
    let underWay = 0;
    const most: number[] = [];
    const slow: VariantPredictor = {
      atOnce: 2,
      async predictVariants(batch) {
        most.push(++underWay);
        await new Promise((resolve) => setTimeout(resolve, 5));
        underWay--;
        return classifier.predictVariants(batch);
      },
    };
    const swept = await sweep({ ...request, classifier: slow, batch: 2 });
    expect(Math.max(...most)).toBe(2);
    expect(swept.data).toEqual((await classifier.predictVariants(request)).data);
  });

  test('a batch that fails ends the sweep when those under way have ended', async () => {
    let underWay = 0;
    const failing: VariantPredictor = {
      atOnce: 3,
      async predictVariants({ inputs }) {
        underWay++;
        const isFirst = (inputs as typeof request.inputs).activations.data[0] === activations.data[0];
        await new Promise((resolve) => setTimeout(resolve, isFirst ? 1 : 20));
        underWay--;
        throw new Error(isFirst ? 'the first' : 'a later one');
      },
    };
    await expect(sweep({ ...request, classifier: failing, batch: 2 })).rejects.toThrow('the first');
    expect(underWay).toBe(0);
  });

  test('progress is reported after each batch', async () => {
    const onBatch = vi.fn();
    await sweep({ ...request, batch: 3, onBatch });
    expect(onBatch.mock.calls).toEqual([
      [3, 7],
      [6, 7],
      [7, 7],
    ]);
  });

  test('an aborted sweep throws the reason before the next batch', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onBatch = vi.fn(() => controller.abort(reason));
    await expect(sweep({ ...request, batch: 2, signal: controller.signal, onBatch })).rejects.toBe(reason);
    expect(onBatch).toHaveBeenCalledTimes(1);
  });

  test('a signal aborted beforehand runs nothing', async () => {
    const onBatch = vi.fn();
    await expect(sweep({ ...request, batch: 2, signal: AbortSignal.abort(), onBatch })).rejects.toThrow();
    expect(onBatch).not.toHaveBeenCalled();
  });

  test('timers get a turn between batches', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const busy: Predict = (variants) => {
      const start = performance.now();
      while (performance.now() - start < 3); // as a runtime that blocks, and answers at once
      return sums(variants);
    };
    await sweep({ ...request, classifier: variantPredictor(referenceEngine(), busy), batch: 1 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  test.each([0, -1, 1.5])('a batch of %d is refused', async (batch) => {
    await expect(sweep({ ...request, batch })).rejects.toThrow(/sweep expected a batch that is a positive integer/);
  });

  test('no rows are refused, for then nobody knows the number of classes', async () => {
    const inputs = { image, activations: tensor([], [0, 2, 3]) };
    await expect(sweep({ ...request, inputs, batch: 2 })).rejects.toThrow(ShapeError);
  });

  test('a classifier that loses rows or changes its classes is caught', async () => {
    const losing: VariantPredictor = { predictVariants: async () => filled(0, 1, 2) };
    await expect(sweep({ ...request, classifier: losing, batch: 3 })).rejects.toThrow(/logits of 3×2/);
    let classes = 2;
    const changing: VariantPredictor = { predictVariants: async () => filled(0, 1, classes++) };
    await expect(sweep({ ...request, classifier: changing, batch: 1 })).rejects.toThrow(/logits of 1×2/);
  });
});

test('variantPredictor runs the kernel and predicts what it made', async () => {
  const seen: Tensor[] = [];
  const { predictVariants } = variantPredictor(referenceEngine(), async (variants) => {
    seen.push(variants);
    return filled(1, 2, 4);
  });
  const inputs = { left: tensor([1, 2], [2, 1]), right: tensor([3, 4], [1, 2]) };
  const logits = await predictVariants({ kernel: multiply, inputs, rows: 'left', options: undefined });
  expect(logits).toEqual(filled(1, 2, 4));
  expect(seen).toEqual([tensor([3, 4, 6, 8], [2, 2])]);
});
