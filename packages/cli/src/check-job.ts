import { type AnyCamMethod, methods, normalisePixels, probeImage, requireWalk } from '@cambium/cam';
import type { ExplainJob } from './explain-pictures.ts';
import { checkDistinct, fileSafe } from './outputs.ts';

/**
 * Checks of a job what can be checked before a folder is made: that no two maps share their files, that every method
 * can walk back to every layer, and, with the first picture, that the network runs here, answers with finite numbers
 * and has height and width at every layer.
 *
 * @throws UsageError or ModelError for the first that is not so
 */
export async function checkJob({ classifier, model, pictures, layers, techniques, target }: ExplainJob): Promise<void> {
  checkDistinct(
    'images',
    pictures.map(({ name, file }) => ({ stem: name, source: file })),
  );
  checkDistinct(
    'layers',
    layers.map(({ name }) => ({ stem: fileSafe(name), source: name })),
  );
  for (const { value } of layers) {
    for (const { method: name, options } of techniques) {
      const method: AnyCamMethod = methods[name];
      for (const rule of method.rules({ ...method.defaults, ...options })) requireWalk(model.graph, value, rule);
    }
  }
  const [{ data, size }] = pictures;
  const values = layers.map(({ value }) => value);
  const probe = await probeImage(classifier, normalisePixels(data, size, model), { layers: values });
  for (const value of values) await probe.at(value, target === 'top1' ? 0 : target);
}
