import { ortClassifier, providers } from '@cambium/cam';
import { type ExplainJob, explainPictures } from '../explain-pictures.ts';
import { imageSize, oneOf, seedNumber, share, threeNumbers, wholeNumber } from '../flags.ts';
import { openFolder } from '../io/atomic-write.ts';
import { type Picture, readPicture } from '../io/image.ts';
import { chooseLayers } from '../layers.ts';
import {
  checkDistinct,
  type Format,
  fileSafe,
  findingRecord,
  modelRecord,
  pictureRecord,
  writeFinding,
  writeManifest,
} from '../outputs.ts';
import { type PreparedModel, prepareModel } from '../prepared-model.ts';
import { type ColormapName, colormaps } from '../render/colormap.ts';
import { overlay } from '../render/overlay.ts';
import type { Surroundings } from '../surroundings.ts';
import { chooseTarget } from '../targets.ts';
import { chooseTechniques } from '../techniques.ts';
import { versions } from '../versions.ts';

/** The flags of `cambium explain` as they were typed. */
export interface ExplainFlags {
  readonly model?: string;
  readonly method?: readonly string[];
  readonly layer?: readonly string[];
  readonly class: string;
  readonly variant?: string;
  readonly channels?: string;
  readonly batch?: string;
  readonly size?: string;
  readonly mean?: string;
  readonly std?: string;
  readonly labels?: string;
  readonly provider: string;
  readonly colormap: string;
  readonly alpha: string;
  readonly format?: readonly string[];
  readonly seed: string;
  readonly out: string;
}

/**
 * Explains images: for each image, layer and method an overlay and the map's numbers, and one manifest.
 *
 * Everything is read and checked before the first file is written.
 *
 * @throws UsageError, ModelError or NameError for what cannot be done as asked
 */
export async function explainCommand(
  files: readonly string[],
  flags: ExplainFlags,
  { ui, models, signal }: Surroundings,
): Promise<void> {
  const { style, ...request } = readFlags(flags);
  const model = await prepareModel(request.model, models);
  const job = {
    model,
    layers: chooseLayers(flags.layer ?? [], model.graph),
    target: chooseTarget(flags.class, model.labels),
    ...request.job,
  };
  const pictures = await readPictures(files, model);
  checkDistinct(
    'images',
    pictures.map(({ name, file }) => ({ stem: name, source: file })),
  );
  checkDistinct(
    'layers',
    job.layers.map(({ name }) => ({ stem: fileSafe(name), source: name })),
  );
  await openFolder(flags.out);
  for (const note of model.notes) ui.note(note);

  await using classifier = ortClassifier(model.graph, { provider: request.provider });
  const count = pictures.length * job.layers.length * job.techniques.length;
  const record = await writeAll({ ...job, classifier, pictures, signal }, { ui, style, folder: flags.out, count });
  const { colormap, alpha } = style;
  await writeManifest(flags.out, {
    command: 'explain',
    model: modelRecord(model),
    device: classifier.device,
    versions: versions(),
    seed: job.seed,
    colormap,
    alpha,
    ...record,
  });
  ui.print(`${count} ${count === 1 ? 'map' : 'maps'} in ${flags.out}`);
}

interface Style {
  readonly colormap: ColormapName;
  readonly alpha: number;
  readonly formats: readonly Format[];
}

interface Destination extends Pick<Surroundings, 'ui'> {
  readonly style: Style;
  readonly folder: string;
  /** Maps to be made. */
  readonly count: number;
}

async function writeAll(job: ExplainJob, { ui, style, folder, count }: Destination): Promise<object> {
  const images = new Map<string, object>();
  const maps: object[] = [];
  using progress = ui.progress(1);
  const onProgress: ExplainJob['onProgress'] = ({ done, total, task, map }) =>
    progress.update({ done: done / total, task, count: `map ${map}/${count}` });
  for await (const finding of explainPictures({ ...job, onProgress })) {
    const { picture, explanation } = finding;
    const blended = overlay({
      image: picture,
      map: explanation.map,
      colours: colormaps[style.colormap],
      alpha: style.alpha,
    });
    const files = await writeFinding(folder, finding, { picture: blended, formats: style.formats });
    images.set(picture.name, pictureRecord(picture, finding.predicted));
    maps.push(findingRecord(finding, files));
  }
  return { images: [...images.values()], maps };
}

async function readPictures(files: readonly string[], { graph, resize }: PreparedModel): Promise<Picture[]> {
  const [, height, width] = graph.input.shape;
  const pictures: Picture[] = [];
  for (const file of files) pictures.push(await readPicture(file, [height, width], resize));
  return pictures;
}

function readFlags(flags: ExplainFlags) {
  const optional = <T>(text: string | undefined, read: (text: string) => T) =>
    text === undefined ? undefined : read(text);
  const channels = optional(flags.channels, (text) => wholeNumber('--channels', text));
  return {
    provider: oneOf('provider', flags.provider, providers),
    style: {
      colormap: oneOf('colormap', flags.colormap, Object.keys(colormaps) as ColormapName[]), // its keys are the names
      alpha: share('--alpha', flags.alpha),
      formats: [...new Set(flags.format ?? ['png', 'npy'])].map((format) => oneOf('format', format, FORMATS)),
    },
    model: {
      model: flags.model,
      labels: flags.labels,
      size: optional(flags.size, (text) => imageSize('--size', text)),
      mean: optional(flags.mean, (text) => threeNumbers('--mean', text)),
      std: optional(flags.std, (text) => threeNumbers('--std', text)),
    },
    job: {
      techniques: chooseTechniques({ methods: flags.method ?? ['grad-cam'], variant: flags.variant, channels }),
      batch: optional(flags.batch, (text) => wholeNumber('--batch', text)),
      seed: seedNumber('--seed', flags.seed),
    },
  };
}

const FORMATS = ['webp', 'png', 'npy'] as const;
