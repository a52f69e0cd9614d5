import { numpyRandom, type Predict, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { metrics, type Subject, similarityAlongRows, similarityInSquares } from '../src/index.ts';
import { linearModel } from './support/linear.ts';

// Models of which the scores are known by hand.

/** Sees one pixel of a one-channel 4×4 image: its logits are (value there, 0). */
const seen = 5;
const onePixel: Predict = async (batch) =>
  tensor(
    Float32Array.from({ length: 2 * batch.shape[0] }, (_, at) => (at % 2 === 0 ? batch.data[(at / 2) * 16 + seen] : 0)),
    [batch.shape[0], 2],
  );

/** An image of 1 at the seen pixel, −1 at the last and 0 elsewhere; a map that points at a pixel. */
function pointing(pixel: number): Subject {
  const image = tensor(
    Float32Array.from({ length: 16 }, (_, at) => Number(at === seen) - Number(at === 15)),
    [1, 4, 4],
  );
  const map = tensor(
    Float32Array.from({ length: 16 }, (_, at) => Number(at === pixel)),
    [4, 4],
  );
  return { image, target: 0, map, predict: onePixel, explain: async () => map };
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

describe('a model that sees one pixel', () => {
  test('region perturbation: the right map loses everything at once, and everything after', async () => {
    const score = await metrics['region-perturbation'].score(pointing(seen), { patchSize: 1, regions: 3 });
    expect(score.value).toBeCloseTo(sigmoid(1) - sigmoid(-1), 6);
    const wrong = await metrics['region-perturbation'].score(pointing(12), { patchSize: 1, regions: 3 });
    expect(wrong.value).toBeCloseTo(0, 6);
    const samek = await metrics['region-perturbation'].score(pointing(seen), {
      patchSize: 1,
      regions: 3,
      average: 'samek',
    });
    expect(samek.value).toBeCloseTo((3 / 4) * (sigmoid(1) - sigmoid(-1)), 6);
  });

  test('deletion and insertion: the curve steps where the pixel goes and comes', async () => {
    const deleted = await metrics.deletion.score(pointing(seen), { pixelsInStep: 1 });
    expect(deleted.value).toBeCloseTo((15.5 * sigmoid(0) + 0.5 * sigmoid(1)) / 16, 6);
    const last = await metrics.deletion.score(pointing(15), { pixelsInStep: 16 });
    expect(last.value).toBeCloseTo((sigmoid(0) + sigmoid(1)) / 2, 6);
    const inserted = await metrics.insertion.score(pointing(seen), { pixelsInStep: 1 });
    const curve = inserted.value === null ? [] : (inserted.detail?.curve as number[]); // insertion has one
    expect(curve.length).toBe(17);
    expect(curve[1]).toBeCloseTo(sigmoid(1), 6);
    expect(curve[16]).toBeCloseTo(sigmoid(1), 6);
  });

  test('non-sensitivity: nothing is wrong about the right map, two features about another', async () => {
    const features = { baseline: 0 } as const;
    expect((await metrics['non-sensitivity'].score(pointing(seen), features)).value).toBe(0);
    expect((await metrics['non-sensitivity'].score(pointing(12), features)).value).toBe(2);
  });

  test('pixel flipping, selectivity and IROF: flat curves after the first step', async () => {
    const flipped = await metrics['pixel-flipping'].score(pointing(seen));
    expect(flipped.value).toBeCloseTo(15 * sigmoid(-1), 5);
    const selected = await metrics.selectivity.score(pointing(seen), { patchSize: 2 });
    expect(selected.value).toBeCloseTo(3 * sigmoid(-1), 5);
    const removed = await metrics.irof.score(pointing(seen), { patchSize: 2, baseline: 0 });
    expect(removed.value).toBeCloseTo(4 - (3 * sigmoid(0)) / sigmoid(1), 5);
  });

  test('ROAD: removing what it sees costs, removing the rest does not', async () => {
    const score = await metrics.road.score(pointing(seen), { percentiles: [95], noise: 0 });
    const detail = score.value === null ? {} : (score.detail ?? {});
    expect((detail.most as number[])[0]).toBeCloseTo(sigmoid(0) - sigmoid(1), 5); // neighbours of the pixel are 0
    expect(score.value).toBeGreaterThan(0);
  });
});

describe('a linear model and its exact contributions', () => {
  const random = numpyRandom(2);
  const weights = uniformTensor(random, [3, 64]);
  const image = uniformTensor(random, [1, 8, 8], 0.2, 1);
  const model = linearModel(weights);
  const map = tensor(
    image.data.map((value, pixel) => value * weights.data[64 + pixel]),
    [8, 8],
  );
  const subject: Subject = { image, target: 1, map, ...model };

  test('correlate perfectly with what a baseline of zero takes away', async () => {
    const zero = { baseline: 0 } as const;
    for (const value of [
      (await metrics['faithfulness-estimate'].score(subject, zero)).value,
      (await metrics['faithfulness-correlation'].score(subject, { ...zero, subsetSize: 12 })).value,
      (
        await metrics['sensitivity-n'].score(subject, {
          ...zero,
          subsets: 'random',
          output: 'logit',
          featuresInStep: 16,
          samples: 9,
        })
      ).value,
    ]) {
      expect(value).toBeCloseTo(1, 5);
    }
  });

  test('of which the weights have no infidelity, in blocks or in noise', async () => {
    const gradient = { ...subject, map: tensor(weights.data.slice(64, 128), [8, 8]) };
    for (const perturbation of ['blocks', 'noise'] as const) {
      expect((await metrics.infidelity.score(gradient, { perturbation, patchSize: 3 })).value).toBeCloseTo(0, 8);
    }
  });

  test('do not depend on the classifier making its own variants', async () => {
    const { referenceEngine, variantPredictor } = await import('@cambium/gpu-kernels');
    const classifier = variantPredictor(referenceEngine(), model.predict);
    for (const [metric, options] of [
      [metrics['region-perturbation'], { patchSize: 3, baseline: 'mean' }],
      [metrics['non-sensitivity'], { featuresInStep: 3 }],
      [metrics.insertion, { pixelsInStep: 5 }],
      [metrics.continuity, { steps: 3, whenPredictionChanges: 'refuse' }],
    ] as const) {
      const scored = (more: object) => metric.score({ ...subject, ...more } as Subject, options as object);
      expect(await scored({ classifier })).toEqual(await scored({}));
    }
  });
});

describe('maps', () => {
  test('complexity is the logarithm of the number of equal pixels', async () => {
    const four = tensor([1, 1, 0, 0, 1, 1, 0, 0, 0], [3, 3]);
    const subject = { ...pointing(0), image: tensor(new Float32Array(9), [1, 3, 3]), map: four };
    expect((await metrics.complexity.score(subject)).value).toBeCloseTo(Math.log(4), 6);
  });

  test('similarity is 1 for equal maps, and has a value worked out by the peer', () => {
    const u = tensor([0, 0, 0, 0, 0.2, 0.6, 1, 0.6, 0.2, 0, 0, 0], [3, 4]);
    const v = tensor([0, 0, 0.1, 0.4, 0.8, 0.4, 0.1, 0, 0, 0, 0, 0], [3, 4]);
    expect(similarityAlongRows(u, v)).toBeCloseTo(-0.0573204, 6); // spec 2.5
    expect(similarityAlongRows(u, u)).toBeCloseTo(1, 12);
    const square = uniformTensor(numpyRandom(1), [9, 8], 0, 1);
    expect(similarityInSquares(square, square)).toBeCloseTo(1, 12);
    expect(similarityAlongRows(tensor(Array(8).fill(2), [2, 4]), tensor(Array(8).fill(2), [2, 4]))).toBeNaN();
  });

  test('random logit is 1 where the explainer ignores the class, and null for two constant maps', async () => {
    const map = uniformTensor(numpyRandom(6), [4, 4], 0, 1);
    const ignoring = { ...pointing(seen), map, explain: async () => map };
    expect((await metrics['random-logit'].score(ignoring)).value).toBeCloseTo(1, 12);
    const blank = { ...ignoring, explain: async () => tensor(new Float32Array(16), [4, 4]) };
    expect(await metrics['random-logit'].score(blank)).toEqual({
      value: null,
      reason: 'random-logit has no score here: for class 1 the map is zero everywhere.',
    });
  });

  test('random logit names its option where it draws a class that the model does not have', async () => {
    const map = uniformTensor(numpyRandom(6), [4, 4], 0, 1);
    const refusing = {
      ...pointing(seen),
      map,
      explain: async (): Promise<never> => {
        throw new RangeError('The target is a class index from 0 to 1.');
      },
    };
    await expect(metrics['random-logit'].score(refusing, { classes: 1000 })).rejects.toThrow(
      /^random-logit got no map: for class \d+, drawn from the 1000 of its option classes, The target is a class index from 0 to 1\.$/,
    );
    await expect(metrics['random-logit'].score(refusing)).rejects.toThrow(/^The target is/);
  });

  test('continuity takes the zero map of a blank image, and skips the shift of zero', async () => {
    let explained = 0;
    const explain: Subject['explain'] = async (image) => {
      explained++;
      return tensor(
        image.data.map((value) => Math.max(0, value)),
        [4, 4],
      );
    };
    const subject = { ...pointing(seen), explain };
    const score = await metrics.continuity.score(subject, { steps: 9 }); // every shift from −3 to 5
    expect(explained).toBe(8);
    const detail = score.value === null ? {} : (score.detail ?? {});
    expect(detail.shifts).toEqual([-3, -2, -1, 0, 1, 2, 3, 4, 5]);
    expect((detail.ratios as number[])[3]).toBe(0);
    expect(Number.isFinite(score.value)).toBe(true);
  });

  test('continuity is refused where the prediction must not change and does', async () => {
    const score = await metrics.continuity.score(pointing(seen), { steps: 4, whenPredictionChanges: 'refuse' });
    expect(score).toEqual({ value: null, reason: expect.stringContaining('is predicted as class 1, not 0') });
  });

  test('sufficiency is the share of near maps with the same class', async () => {
    const companions: Subject[] = [];
    for (const [target, pixel] of [
      [0, 1],
      [0, 1],
      [1, 14],
    ]) {
      const image = tensor(
        Float32Array.from({ length: 16 }, (_, at) => (at === seen ? 1 - 2 * target : 0)),
        [1, 4, 4],
      );
      companions.push({ ...pointing(pixel), image, companions });
    }
    const near = await metrics.sufficiency.score(companions[0]);
    expect(near).toEqual({ value: 1, detail: { neighbours: 1 } });
    const alone = await metrics.sufficiency.score(companions[2]);
    expect(alone).toEqual({ value: 0, detail: { neighbours: 0 } });
  });
});
