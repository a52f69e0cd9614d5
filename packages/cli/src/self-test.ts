import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Classifier, normalisePixels } from '@cambium/cam';
import { z } from 'zod';
import { readPicture } from './io/image.ts';
import type { PreparedModel } from './prepared-model.ts';

/** How far this machine's numbers are from recorded ones. */
export interface SelfTest {
  /** What was compared with what, in words. */
  readonly name: string;
  /** Largest absolute difference. */
  readonly difference: number;
  readonly tolerance: number;
  /** Rank correlation, where maps were compared. */
  readonly spearman?: number;
}

/**
 * Compares the logits that a classifier gives for the first test image with those that PyTorch gave.
 *
 * @param root the checkout, which holds the image and the numbers
 * @returns null where there are no recorded numbers: for another model than the embedded one, or other preprocessing
 * @throws Error when the record is damaged, UsageError when the image cannot be read
 */
export async function selfTest(
  model: PreparedModel,
  classifier: Classifier,
  root: string | undefined,
): Promise<SelfTest | null> {
  if (root === undefined || !isEmbedded(model, root)) return null;
  const golden = join(root, 'test-fixtures', 'golden', 'inputs');
  const record = recordSchema.parse(JSON.parse(await readFile(join(golden, 'manifest.json'), 'utf8')));
  const logits = record.arrays.find(({ name }) => name.startsWith('logits/'));
  if (!logits) throw new Error(`${golden}/manifest.json records no logits`);
  const image = `${logits.name.slice('logits/'.length)}.png`;
  const picture = await readPicture(join(root, 'test-fixtures', 'images', image), [224, 224], model.resize);
  const { data } = await classifier.predict(normalisePixels(picture.data, picture.size, model));
  const difference = logits.check.first16.reduce(
    (worst, value, index) => Math.max(worst, Math.abs(value - data[index])),
    0,
  );
  return { name: `logits of ${image} with those of PyTorch`, difference, tolerance: TOLERANCE };
}

function isEmbedded({ file, mean, std, graph }: PreparedModel, root: string): boolean {
  if (file.entry === undefined || dirname(resolve(file.path)) !== join(root, 'models')) return false;
  const { entry } = file;
  const usual = [entry.mean, entry.std, entry.input].join();
  return usual === [mean, std, graph.input.shape].join();
}

const recordSchema = z.object({
  arrays: z.array(z.object({ name: z.string(), check: z.object({ first16: z.array(z.number()) }) })),
});

const TOLERANCE = 1e-4; // sums of another machine differ in their last bits
