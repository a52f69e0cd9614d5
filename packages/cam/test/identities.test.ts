import { numpyRandom, tensor, uniformTensor } from '@cambium/gpu-kernels';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Classifier, explain, type Graph, methods, ortClassifier, type Probe, probeImage } from '../src/index.ts';
import { largestDifference, relativeDifference } from './support/compare.ts';
import { plainNet } from './support/tiny-nets.ts';

// At the last block of a network that ends in a global mean and one dense layer, the methods have closed forms.
const nets = fc.record({ seed: fc.integer({ min: 1, max: 1000 }), target: fc.integer({ min: 0, max: 3 }) });

async function withProbe(
  graph: Graph,
  seed: number,
  target: number,
  work: (probe: Probe, classifier: Classifier) => Promise<void>,
) {
  await using classifier = ortClassifier(graph, { threads: 1 });
  const shown = await probeImage(classifier, uniformTensor(numpyRandom(seed), [1, 3, 6, 6]), { layers: ['late'] });
  await work(await shown.at('late', target), classifier);
}

/** The dense layer's weights, 4×7. */
function denseWeights(graph: Graph): Float32Array {
  const constant = graph.constants.get(graph.nodes[graph.nodes.length - 1].inputs[1]);
  if (constant?.type !== 'float32') throw new Error('plainNet ends in a dense layer');
  return constant.data;
}

describe('closed forms at the last block', () => {
  test('Grad-CAM’s weights are the class’s dense weights over h·w', async () => {
    await fc.assert(
      fc.asyncProperty(nets, async ({ seed, target }) => {
        const graph = plainNet(seed);
        await withProbe(graph, seed, target, async (probe) => {
          const { weights } = await explain(probe, methods['grad-cam']);
          const expected = denseWeights(graph)
            .slice(target * 7, target * 7 + 7)
            .map((weight) => weight / 9);
          expect(relativeDifference(weights.data, expected)).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 15, seed: 1 },
    );
  });

  test('Relevance-CAM’s weights are (1/hw) g_k Σ_c R_c W⁺_ck / Σ_j g_j W⁺_cj', async () => {
    await fc.assert(
      fc.asyncProperty(nets, async ({ seed, target }) => {
        const graph = plainNet(seed);
        await withProbe(graph, seed, target, async (probe) => {
          const dense = denseWeights(graph).map((weight) => Math.max(weight, 0));
          const means = Array.from(
            { length: 7 },
            (_, k) => probe.activations.data.slice(k * 9, k * 9 + 9).reduce((a, b) => a + b, 0) / 9,
          );
          const totals = [0, 1, 2, 3].map((c) => means.reduce((sum, g, k) => sum + g * dense[c * 7 + k], 0));
          const start = [0, 1, 2, 3].map((c) => (c === target ? 1 : -1 / 4));
          const expected = means.map(
            (g, k) =>
              start.reduce((sum, r, c) => sum + (totals[c] === 0 ? 0 : (g * r * dense[c * 7 + k]) / totals[c]), 0) / 9,
          );
          const { weights } = await explain(probe, methods['relevance-cam']);
          expect(largestDifference(weights.data, expected)).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 15, seed: 2 },
    );
  });
});

describe('invariances', () => {
  test('Score-CAM does not change when dead channels are added', async () => {
    await fc.assert(
      fc.asyncProperty(nets, async ({ seed, target }) => {
        await withProbe(plainNet(seed), seed, target, async (probe) => {
          const dead = tensor([...probe.activations.data, ...new Float32Array(3 * 9)], [10, 3, 3]);
          for (const variant of ['author', 'pytorch-grad-cam', 'torch-cam', 'paper'] as const) {
            const { map } = await explain(probe, methods['score-cam'], { variant });
            const padded = await explain(withActivations(probe, dead), methods['score-cam'], { variant });
            expect(largestDifference(padded.map.data, map.data)).toBeLessThan(1e-5);
          }
        });
      }),
      { numRuns: 5, seed: 3 },
    );
  });

  test('Grad-CAM and Relevance-CAM do not change when what is propagated is scaled', async () => {
    await fc.assert(
      fc.asyncProperty(nets, fc.double({ min: 0.1, max: 100, noNaN: true }), async ({ seed, target }, scale) => {
        await withProbe(plainNet(seed), seed, target, async (probe) => {
          for (const method of [methods['grad-cam'], methods['relevance-cam']]) {
            const { map } = await explain<object>(probe, method);
            const scaled = await explain<object>(withScaledWalk(probe, scale), method);
            expect(largestDifference(scaled.map.data, map.data)).toBeLessThan(1e-4);
          }
        });
      }),
      { numRuns: 8, seed: 4 },
    );
  });
});

/** A channel of zeros masks the image out whole; the rows of the others are the probe's own. */
function withActivations(probe: Probe, activations: Probe['activations']): Probe {
  const own = probe.activations.shape[0];
  return {
    ...probe,
    activations,
    maskedLogits: async (channels, convention) => {
      const blank = await probe.blankLogits();
      const live = channels.filter((channel) => channel < own);
      const { data } = await probe.maskedLogits(live, convention);
      const rows = channels.flatMap((channel) =>
        channel < own ? [...data.slice(live.indexOf(channel) * 4, live.indexOf(channel) * 4 + 4)] : [...blank],
      );
      return tensor(rows, [channels.length, 4]);
    },
  };
}

function withScaledWalk(probe: Probe, scale: number): Probe {
  return {
    ...probe,
    backward: async (rule, start) => {
      const { data, shape } = await probe.backward(rule, start);
      return tensor(
        data.map((value) => value * scale),
        shape,
      );
    },
  };
}
