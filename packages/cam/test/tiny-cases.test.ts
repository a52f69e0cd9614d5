import { compute, type Tensor, tensor, upsampleBilinear } from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { goldenTiny } from '../../gpu-kernels/test/support/golden.ts';
import { explain, methods, ortClassifier, type Probe, probeImage } from '../src/index.ts';
import { largestDifference } from './support/compare.ts';
import { caseC, caseR, sequence } from './support/tiny-nets.ts';

type Nested = number | readonly Nested[];
const flat = (nested: Nested): number[] => (typeof nested === 'number' ? [nested] : nested.flatMap(flat));

interface CaseC {
  readonly x: readonly Nested[];
  readonly targets: readonly number[];
  readonly logits: readonly Nested[];
  readonly A: readonly Nested[];
  readonly pytorch_grad_cam: { readonly [what: string]: readonly Nested[] };
  readonly torch_cam: { readonly [what: string]: readonly Nested[] };
  readonly haofanwang: { readonly [what: string]: Nested };
}

describe('case C, a network worked by every peer', () => {
  const golden = goldenTiny<CaseC>('cams_tiny');
  const classifier = ortClassifier(caseC());

  async function probe(image: number): Promise<Probe> {
    const shown = await probeImage(classifier, tensor(flat(golden.x[image]), [1, 3, 6, 6]), { layers: ['features'] });
    return shown.at('features', golden.targets[image]);
  }

  test.each([0, 1])('image %i has the recorded activations and logits', async (image) => {
    const { activations, logits } = await probe(image);
    expect(largestDifference(activations.data, flat(golden.A[image]))).toBeLessThan(1e-5);
    expect(largestDifference(logits, flat(golden.logits[image]))).toBeLessThan(1e-5);
  });

  test.each([
    ['Grad-CAM', 'GradCAM', methods['grad-cam'], {}],
    ['Grad-CAM++', 'GradCAMPlusPlus', methods['grad-cam++'], {}],
    ['Score-CAM', 'ScoreCAM', methods['score-cam'], { variant: 'pytorch-grad-cam' }],
  ] as const)('%s is that of pytorch-grad-cam to 1e-5, weights and maps', async (_, peer, method, options) => {
    for (const image of [0, 1]) {
      const { weights, map } = await explain<object>(await probe(image), method, options);
      expect(largestDifference(weights.data, flat(golden.pytorch_grad_cam[`pgc.w.${peer}`][image]))).toBeLessThan(1e-5);
      expect(largestDifference(map.data, flat(golden.pytorch_grad_cam[`pgc.${peer}`][image]))).toBeLessThan(1e-5);
    }
  });

  test('Score-CAM in torch-cam’s form is that of torch-cam to 1e-5, weights and raw maps', async () => {
    for (const image of [0, 1]) {
      const explained = await explain(await probe(image), methods['score-cam'], { variant: 'torch-cam' });
      expect(largestDifference(explained.weights.data, flat(golden.torch_cam['tc.w.ScoreCAM'][image]))).toBeLessThan(
        1e-5,
      );
      const expected = flat(golden.torch_cam['tc.ScoreCAM'][image]);
      expect(largestDifference(normalised(explained.coarse, 1e-8), expected)).toBeLessThan(1e-5);
      // torch-cam leaves the resizing to its caller: ours comes last, so the peak is lower than 1
      const large = compute(
        upsampleBilinear,
        { input: tensor(expected, [3, 3]) },
        { size: [6, 6], convention: 'half-pixel' },
      );
      expect(largestDifference(explained.map.data, large.data)).toBeLessThan(1e-5);
    }
  });

  test('Score-CAM in its authors’ form is theirs to 1e-5, weights and maps', async () => {
    for (const image of [0, 1]) {
      const { weights, map } = await explain(await probe(image), methods['score-cam']);
      expect(largestDifference(weights.data, flat(golden.haofanwang[`w${image}`]))).toBeLessThan(1e-5);
      expect(largestDifference(map.data, flat(golden.haofanwang[`map${image}`]))).toBeLessThan(1e-5);
    }
  });

  test('Score-CAM of the paper subtracts the blank image and weighs by a softmax over the channels', async () => {
    const asked = await probe(0);
    const { weights } = await explain(asked, methods['score-cam'], { variant: 'paper' });
    const scores = flat(golden.haofanwang.w0);
    const blank = softmaxOf(await asked.blankLogits())[asked.target];
    expect(largestDifference(weights.data, softmaxOf(scores.map((score) => score - blank)))).toBeLessThan(1e-5);
  });

  test('`faster` keeps the channels that vary most and drops the rest entirely', async () => {
    const asked = await probe(0);
    const { weights } = await explain(asked, methods['score-cam'], { variant: 'faster', channels: 2 });
    const deviations = [0, 1, 2, 3].map((channel) =>
      deviation(asked.activations.data.subarray(channel * 9, channel * 9 + 9)),
    );
    const ranked = [0, 1, 2, 3].toSorted((a, b) => deviations[b] - deviations[a]);
    expect([...weights.data].flatMap((weight, channel) => (weight > 0 ? [channel] : []))).toEqual(
      ranked.slice(0, 2).toSorted(),
    );
  });
});

describe('case R, a residual block worked by Relevance-CAM', () => {
  const golden = goldenTiny<{ readonly [what: string]: Nested }>('relevance_cam_block');
  const classifier = ortClassifier(caseR());
  const image = tensor(
    sequence(64, 37, 101).map((value) => Math.max(2 * value - 0.8, 0)),
    [1, 4, 4, 4],
  );

  test('logits and the block’s output are the recorded ones', async () => {
    const { logits, layers } = await classifier.values(image, ['y']);
    expect(largestDifference(logits.data, flat(golden.z))).toBeLessThan(1e-6);
    expect(largestDifference(layers.y.data, flat(golden.y))).toBeLessThan(1e-6);
  });

  test.each(['y', 'x'])('relevance at %s, its weights and its map are the recorded ones to 1e-5', async (layer) => {
    const shown = await probeImage(classifier, image);
    const asked = await shown.at(layer, 2);
    expect(largestDifference((await asked.backward('zPlus')).data, flat(golden[`R_${layer}`]))).toBeLessThan(1e-5);
    const { weights, coarse } = await explain(asked, methods['relevance-cam']);
    expect(largestDifference(weights.data, flat(golden[`w_${layer}`]))).toBeLessThan(1e-5);
    expect(largestDifference(coarse.data, flat(golden[`map_${layer}`]))).toBeLessThan(1e-5);
  });

  test('relevance is conserved from the logits through the block', async () => {
    const shown = await probeImage(classifier, image);
    for (const layer of ['y', 'x']) {
      const relevance = await (await shown.at(layer, 2)).backward('zPlus');
      expect(relevance.data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1 / 3, 5);
    }
  });
});

/** ReLU, then min-max with `epsilon` in the denominator, at low resolution. */
function normalised({ data }: Tensor, epsilon: number): Float32Array {
  const positive = data.map((value) => Math.max(value, 0));
  const low = Math.min(...positive);
  const span = Math.max(...positive) - low + epsilon;
  return positive.map((value) => (value - low) / span);
}

function softmaxOf(values: ArrayLike<number>): number[] {
  const powers = Array.from(values, Math.exp);
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function deviation(values: Float32Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
