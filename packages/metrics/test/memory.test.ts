import { numpyRandom, type Tensor, uniformTensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { type AnyMetric, type MetricName, metrics, type Subject } from '../src/index.ts';
import { linearModel } from './support/linear.ts';

const shape = [3, 16, 16];

/** Options that take some steps, and others that take at least four times as many. */
const longer: readonly (readonly [name: MetricName, some: object, more: object])[] = [
  ['region-perturbation', { patchSize: 4, regions: 16 }, { patchSize: 2, regions: 64 }],
  ['continuity', { steps: 8 }, { steps: 33 }],
  ['non-sensitivity', { featuresInStep: 32 }, { featuresInStep: 4 }],
  ['pixel-flipping', { featuresInStep: 32 }, { featuresInStep: 4 }],
  ['insertion', { pixelsInStep: 16 }, { pixelsInStep: 2 }],
  ['deletion', { pixelsInStep: 16 }, { pixelsInStep: 2 }],
  ['selectivity', { patchSize: 4 }, { patchSize: 2 }],
  ['irof', { patchSize: 4 }, { patchSize: 2 }],
  ['road', { percentiles: [20, 40, 60, 80] }, { percentiles: Array.from({ length: 16 }, (_, step) => 5 * step + 10) }],
  ['faithfulness-correlation', { runs: 8, subsetSize: 9 }, { runs: 32, subsetSize: 9 }],
  ['faithfulness-estimate', { featuresInStep: 32 }, { featuresInStep: 4 }],
  ['monotonicity-correlation', { featuresInStep: 64, samples: 2 }, { featuresInStep: 64, samples: 8 }],
  ['infidelity', { patchSize: 4 }, { patchSize: 2 }],
  ['max-sensitivity', { samples: 8 }, { samples: 32 }],
  ['average-sensitivity', { samples: 8 }, { samples: 32 }],
  ['local-lipschitz-estimate', { samples: 8 }, { samples: 32 }],
  ['relative-input-stability', { samples: 8, low: 0, high: 1e-6 }, { samples: 32, low: 0, high: 1e-6 }],
];

/** How many pieces of memory the images lie in that a score classifies and explains, and how many images there are. */
async function imagesOf(name: MetricName, options: object): Promise<{ pieces: number; images: number }> {
  const model = linearModel(uniformTensor(numpyRandom(1), [4, 768], -0.1, 0.1));
  const seen = new Set<ArrayBuffer>();
  let images = 0;
  const look = ({ data }: Tensor) => {
    seen.add(data.buffer);
    images += data.length / 768;
  };
  const image = uniformTensor(numpyRandom(2), shape, 1, 2);
  const subject: Subject = {
    image,
    map: uniformTensor(numpyRandom(3), [16, 16], 0, 1),
    target: 0,
    batchSize: 2,
    predict: (batch) => {
      look(batch);
      return model.predict(batch);
    },
    explain: (variant, target) => {
      look(variant);
      return model.explain(variant, target);
    },
  };
  const { data } = await model.predict({ data: image.data, shape: [1, ...shape] });
  const metric: AnyMetric = metrics[name];
  await metric.score({ ...subject, target: data.indexOf(Math.max(...data)) }, options);
  return { pieces: seen.size, images };
}

test.each(longer)('%s writes the images of all its steps in the same memory', async (name, some, more) => {
  const [short, long] = [await imagesOf(name, some), await imagesOf(name, more)];
  expect(long.images).toBeGreaterThan(3 * short.images);
  expect(long.pieces).toBe(short.pieces);
});
