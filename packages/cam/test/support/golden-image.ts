import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '@cambium/gpu-kernels';
import sharp from 'sharp';
import type { GoldenSet } from '../../../gpu-kernels/test/support/golden.ts';
import { imageNet, normalisePixels } from '../../src/index.ts';

/** A golden image as the network takes it, 1×3×224×224, from its PNG: the set's own, or the study's of that name. */
export async function goldenImage(inputs: GoldenSet, name: string): Promise<Tensor> {
  const own = inputs.path('png', `${name}_${inputs.seed}_224.png`);
  const file = existsSync(own)
    ? own
    : fileURLToPath(new URL(`../../../../test-fixtures/images/${name}.png`, import.meta.url));
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return normalisePixels(data, [info.height, info.width], imageNet);
}
