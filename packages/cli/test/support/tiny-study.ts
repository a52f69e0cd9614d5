import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { numpyRandom } from '@cambium/gpu-kernels';
import sharp from 'sharp';
import { ModelBuilder } from '../../../cam/test/support/build-model.ts';
import type { SuiteInput } from '../../src/study/suite.ts';

/** Side of the tiny network's images. */
export const SIDE = 16;

/** A classifier of 3×16×16 images into five classes, with the layers `early` (8×16×16) and `late` (12×8×8). */
export function tinyModel(): Uint8Array {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, SIDE, SIDE] }, seed: 11 });
  const pads = { pads: [1, 1, 1, 1] };
  const first = net.node('Conv', [net.input, net.weights([8, 3, 3, 3]), net.weights([8], 0.1)], pads);
  net.node('Relu', [first], {}, { outputs: ['early'] });
  const second = net.node('Conv', ['early', net.weights([12, 8, 3, 3], 0.3), net.weights([12], 0.1)], {
    ...pads,
    strides: [2, 2],
  });
  net.node('Relu', [second], {}, { outputs: ['late'] });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', ['late'])], { axis: 1 });
  net.output(net.node('Gemm', [rows, net.weights([5, 12], 2), net.weights([5])], { transB: 1 }), ['batch', 5]);
  return net.bytes();
}

/** The suite of a tiny study: three images, four methods, two layers, five metrics with sweeps of many batches. */
export function tinySuite(): SuiteInput {
  return {
    name: 'tiny',
    model: './tiny.onnx',
    classes: ['a', 'b', 'c', 'd', 'e'],
    preprocess: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
    images: './images',
    layers: ['early', 'late'],
    methods: ['grad-cam', { method: 'score-cam', options: { variant: 'faster' } }, 'relevance-cam', 'random-cam'],
    metrics: [
      { metric: 'region-perturbation', options: { patchSize: 4, regions: 8 } },
      { metric: 'continuity', options: { steps: 5 } },
      'complexity',
      'non-sensitivity',
      'random-logit',
    ],
    batch: 4,
  };
}

/** Writes model, images of noise and suite into a folder. @returns the path of the suite file */
export async function writeTinyStudy(folder: string, suite: SuiteInput = tinySuite()): Promise<string> {
  mkdirSync(join(folder, 'images'), { recursive: true });
  writeFileSync(join(folder, 'tiny.onnx'), tinyModel());
  const random = numpyRandom(5);
  for (const name of ['a_1', 'b_1', 'noise']) {
    const bytes = Uint8Array.from({ length: 3 * SIDE * SIDE }, () => random.integer(0, 256));
    const image = sharp(bytes, { raw: { width: SIDE, height: SIDE, channels: 3 } });
    writeFileSync(join(folder, 'images', `${name}.png`), await image.png().toBuffer());
  }
  const path = join(folder, 'tiny.json');
  writeFileSync(path, JSON.stringify(suite));
  return path;
}
