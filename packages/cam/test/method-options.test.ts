import { numpyRandom, rows, type Tensor, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { afterAll, describe, expect, test } from 'vitest';
import {
  argmax,
  explain,
  methods,
  ortClassifier,
  type Probe,
  probeImage,
  type RelevanceCamOptions,
  rules,
  scoreCamVariants,
  softmax,
} from '../src/index.ts';
import { largestDifference } from './support/compare.ts';
import { plainNet } from './support/tiny-nets.ts';

const classifier = ortClassifier(plainNet());
afterAll(() => classifier.close());
const images = uniformTensor(numpyRandom(3), [2, 3, 6, 6]);

async function probe(options: { seed?: number; image?: number; layer?: string; target?: number } = {}): Promise<Probe> {
  const { seed, image = 0, layer = 'late', target = 1 } = options;
  return (await probeImage(classifier, rows(images, image, image + 1), { seed })).at(layer, target);
}

/** A probe of two channels of 1×2 places with the gradients and activations given. */
async function handMade(activations: Tensor, gradients: Tensor): Promise<Probe> {
  return { ...(await probe()), activations, backward: async () => gradients };
}

describe('grad-cam++ by hand: one channel, A = [1, 3], G = [0.5, −0.25]', () => {
  const activations = tensor([1, 3], [1, 1, 2]);
  const gradients = tensor([0.5, -0.25], [1, 1, 2]);
  const sumA = 4;

  test.each([
    // at the first place, the only one with a positive gradient: G²/(2G² + D)·G
    ['pytorch-grad-cam', (0.25 / (0.5 + sumA * 0.125 + 1e-6)) * 0.5],
    ['paper', (0.25 / (0.5 + sumA * 0.125)) * 0.5],
    ['relevance-cam', (0.25 / (0.5 + (1 * 0.125 + 3 * -0.015625))) * 0.5],
    // its `a` is divided by the sum over both places; at the second it is 0.0625/(0.125 − 4·0.015625)
    [
      'tf-keras-vis',
      ((0.25 / (0.5 + sumA * 0.125)) * 0.5) / (0.25 / (0.5 + sumA * 0.125) + 0.0625 / (0.125 - sumA * 0.015625)),
    ],
  ] as const)('%s', async (variant, expected) => {
    const { weights } = await explain(await handMade(activations, gradients), methods['grad-cam++'], { variant });
    expect(weights.data[0]).toBeCloseTo(expected, 6);
  });

  test('a gradient of 0 and a denominator of 0 weigh nothing', async () => {
    const dead = await handMade(tensor([0, 0], [1, 1, 2]), tensor([0, 0], [1, 1, 2]));
    const cancelling = await handMade(tensor([-1, -1], [1, 1, 2]), tensor([1, 1], [1, 1, 2])); // 2 + (−2)·1 = 0
    for (const variant of ['paper', 'relevance-cam', 'tf-keras-vis', 'pytorch-grad-cam'] as const) {
      expect((await explain(dead, methods['grad-cam++'], { variant })).weights.data[0]).toBe(0);
    }
    for (const variant of ['paper', 'relevance-cam', 'tf-keras-vis'] as const) {
      expect((await explain(cancelling, methods['grad-cam++'], { variant })).weights.data[0]).toBe(0);
    }
  });
});

describe('relevance-cam', () => {
  /** What the walk is asked to start from, and under which rule. */
  async function asked(options: Partial<RelevanceCamOptions>): Promise<{ rule: string; start: number[] }> {
    const whole = await probe();
    let seen = { rule: '', start: [] as number[] };
    const spying: Probe = {
      ...whole,
      backward: (rule, start) => {
        seen = { rule, start: [...(start ?? [])] };
        return whole.backward(rule, start);
      },
    };
    await explain(spying, methods['relevance-cam'], options);
    return seen;
  }

  test('starts from 1 and −1/N unless told otherwise, as its rule does', async () => {
    const { rule, start } = await asked({});
    expect(rule).toBe('zPlus');
    expect(largestDifference(start, rules.zPlus.start(4, 1))).toBeLessThan(1e-7);
    expect(largestDifference(start, [-1 / 4, 1, -1 / 4, -1 / 4])).toBeLessThan(1e-7);
  });

  test('contrast takes off 1/(N − 1) or nothing', async () => {
    expect(largestDifference((await asked({ contrast: '1/(N-1)' })).start, [-1 / 3, 1, -1 / 3, -1 / 3])).toBeLessThan(
      1e-7,
    );
    expect((await asked({ contrast: 'none' })).start.map(Math.abs)).toEqual([0, 1, 0, 0]);
  });

  test('can start from the logit, everything else in proportion', async () => {
    const logit = (await probe()).logits[1];
    expect(
      largestDifference((await asked({ start: 'logit' })).start, [-logit / 4, logit, -logit / 4, -logit / 4]),
    ).toBeLessThan(1e-7);
  });

  test('walks under the rule it is given', async () => {
    expect((await asked({ rule: 'epsilonPlus' })).rule).toBe('epsilonPlus');
  });

  test('keeps negative relevance unless ReLU is asked for', async () => {
    const shown = await probe({ target: 0 });
    const mixed: Probe = {
      ...shown,
      backward: async () =>
        tensor(
          shown.activations.data.map((_, i) => (i < 9 ? -1 : 0.1)),
          [7, 3, 3],
        ),
    };
    const { map, coarse } = await explain(mixed, methods['relevance-cam']);
    expect(Math.min(...coarse.data)).toBeLessThan(0);
    const positive = await explain(mixed, methods['relevance-cam'], { relu: true });
    expect(positive.map.data.filter((value) => value === 0).length).toBeGreaterThan(
      map.data.filter((value) => value === 0).length,
    );
  });

  test('reaches 1 after resizing by default, and less in the authors’ order', async () => {
    const shown = await probe();
    expect(Math.max(...(await explain(shown, methods['relevance-cam'])).map.data)).toBe(1);
    const authors = await explain(shown, methods['relevance-cam'], { minMax: 'before-resize' });
    expect(Math.max(...authors.map.data)).toBeLessThan(1);
  });
});

describe('random-cam', () => {
  const weights = async (options: Parameters<typeof probe>[0]) => [
    ...(await explain(await probe(options), methods['random-cam'])).weights.data,
  ];

  test('draws from U(−1, 1): other weights for another seed, image or layer', async () => {
    const first = await weights({ seed: 1 });
    expect(first.every((weight) => weight >= -1 && weight < 1)).toBe(true);
    expect(first.some((weight) => weight < 0) && first.some((weight) => weight > 0)).toBe(true);
    expect(await weights({ seed: 1 })).toEqual(first);
    expect(await weights({ seed: 2 })).not.toEqual(first);
    expect(await weights({ seed: 1, image: 1 })).not.toEqual(first);
    expect((await weights({ seed: 1, layer: 'early' })).slice(0, 5)).not.toEqual(first.slice(0, 5));
  });
});

describe('score-cam, faster', () => {
  test('is tf-keras-vis’s form: corner-aligned masks, probabilities of the softmax, no channel softmax', async () => {
    const { mask, finish } = scoreCamVariants.faster;
    expect([mask.resize, mask.normalise, finish.resize]).toEqual(['corner-aligned', 'after-resize', 'corner-aligned']);
    const shown = await probe();
    const { weights } = await explain(shown, methods['score-cam'], { variant: 'faster', channels: 2 });
    const kept = [...weights.data].flatMap((weight, channel) => (weight === 0 ? [] : [channel]));
    const logits = await shown.maskedLogits(kept, {
      resize: 'corner-aligned',
      normalise: 'after-resize',
      epsilon: 1e-7,
    });
    kept.forEach((channel, row) => {
      expect(weights.data[channel]).toBeCloseTo(softmax(logits.data.slice(row * 4, row * 4 + 4))[1], 6);
    });
  });

  test('tries 64 channels unless told otherwise', async () => {
    const wide = uniformTensor(numpyRandom(5), [80, 2, 2]);
    const tried: number[] = [];
    const shown: Probe = {
      ...(await probe()),
      activations: wide,
      maskedLogits: async (channels) => {
        tried.push(...channels);
        return uniformTensor(numpyRandom(6), [channels.length, 4]);
      },
    };
    await explain(shown, methods['score-cam'], { variant: 'faster' });
    expect(tried).toHaveLength(64);
    const deviation = (channel: number) => {
      const values = wide.data.slice(channel * 4, channel * 4 + 4);
      const mean = values.reduce((a, b) => a + b, 0) / 4;
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    };
    const left = Array.from({ length: 80 }, (_, channel) => channel).filter((channel) => !tried.includes(channel));
    expect(Math.max(...left.map(deviation))).toBeLessThanOrEqual(Math.min(...tried.map(deviation)));
  });
});

describe('argmax and softmax', () => {
  test('of equal logits the first is the prediction', () => {
    expect(argmax([1, 3, 3, 2])).toBe(1);
  });

  test('softmax does not overflow', () => {
    expect([...softmax(Float32Array.of(1000, 1000, -1000))]).toEqual([0.5, 0.5, 0]);
  });
});
