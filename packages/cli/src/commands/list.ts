import { listLayers, methods } from '@cambium/cam';
import { metrics } from '@cambium/metrics';
import { imageSize } from '../flags.ts';
import { findModel, readManifest } from '../io/model.ts';
import { prepareModel } from '../prepared-model.ts';
import { table } from '../render/table.ts';
import { suites } from '../suites/index.ts';
import type { Surroundings } from '../surroundings.ts';
import { scoreVariants } from '../techniques.ts';

/** Lists the methods: name, title, where each comes from, and the variants of Score-CAM. */
export function listMethods({ ui }: Surroundings): void {
  const rows = Object.values(methods).map(({ name, title, source }) => [name, title, source]);
  for (const line of table(['method', 'title', 'source'], rows)) ui.print(line);
  ui.print(`\nscore-cam has the variants ${scoreVariants.join(', ')} (--variant).`);
}

/**
 * Lists the layers of a model that a map can be drawn from: the family's names first, then the graph's values.
 *
 * @throws UsageError or ModelError when the model cannot be read
 */
export async function listLayersOf(
  model: string | undefined,
  flags: { readonly size?: string },
  { ui, models }: Surroundings,
): Promise<void> {
  const size = flags.size === undefined ? undefined : imageSize('--size', flags.size);
  const { graph, file } = await prepareModel({ model, size }, models);
  const layers = listLayers(graph);
  const rows = layers.map(({ name, value, shape, family }) => [
    name,
    shape?.join('×') ?? '?',
    family ? `the family's name for ${value}` : '',
  ]);
  for (const line of table(['layer', 'shape', ''], rows)) ui.print(line);
  if (layers.length === 0) ui.note(`${file.path} has no value with height and width.`);
}

/**
 * Lists the models that come with the command.
 *
 * @throws UsageError when their manifest or a file is damaged
 */
export async function listModels({ ui, models }: Surroundings): Promise<void> {
  if (models === undefined) return ui.note('No model comes with this installation: name an .onnx file with --model.');
  const entries = await readManifest(models);
  const rows = entries.map(({ name, file, labels, input, family }) => [
    name,
    file,
    String(labels.length),
    input.join('×'),
    family ?? '',
  ]);
  for (const line of table(['model', 'file', 'classes', 'input', 'family'], rows)) ui.print(line);
  for (const { name } of entries) await findModel(name, models);
}

/** Lists the metrics: name, title, category, direction and source. */
export function listMetrics({ ui }: Surroundings): void {
  const rows = Object.values(metrics).map(({ name, title, category, better, source }) => [
    name,
    title,
    category,
    `${better} is better`,
    source,
  ]);
  for (const line of table(['metric', 'title', 'looks at', '', 'source'], rows)) ui.print(line);
}

/** Lists the suites that come with the command. */
export function listSuites({ ui }: Surroundings): void {
  const rows = Object.values(suites).map(({ name, title = '' }) => [name, title]);
  for (const line of table(['suite', ''], rows)) ui.print(line);
}
