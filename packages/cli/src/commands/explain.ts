import { calibrate, normalisePixels, ortClassifier } from '@cambium/cam';
import { stack } from '@cambium/gpu-kernels';
import { checkJob } from '../check-job.ts';
import type { ExplainJob } from '../explain-pictures.ts';
import { imageSize, oneOf, seedNumber, share, threeNumbers, wholeNumber } from '../flags.ts';
import { openFolder } from '../io/atomic-write.ts';
import { readPictures } from '../io/image.ts';
import { chooseLayers } from '../layers.ts';
import { makeMaps } from '../make-maps.ts';
import { openClassifier, precisions } from '../open-classifier.ts';
import { type Format, findingRecord, modelRecord, pictureRecord, writeFinding, writeManifest } from '../outputs.ts';
import { prepareModel } from '../prepared-model.ts';
import { compareLogits, isReference, requireAgreement } from '../reference.ts';
import { type ColormapName, colormaps } from '../render/colormap.ts';
import { overlay } from '../render/overlay.ts';
import type { SelfTest } from '../self-test.ts';
import type { Surroundings } from '../surroundings.ts';
import { chooseTarget } from '../targets.ts';
import { chooseTechniques } from '../techniques.ts';
import type { Ui } from '../ui.ts';
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
  readonly device: string;
  readonly precision: string;
  readonly colormap: string;
  readonly alpha: string;
  readonly format?: readonly string[];
  readonly seed: string;
  readonly out: string;
}

/**
 * Explains images: for each image, layer and method an overlay and the map's numbers, and one manifest.
 *
 * The folder is made when every argument and file has been read, every walk can be made, the network has answered the first image
 * and, where it is not ONNX Runtime in float32 that answers, agrees with it.
 *
 * @throws UsageError, ModelError or NameError for what cannot be done as asked
 */
export async function explainCommand(
  files: readonly string[],
  flags: ExplainFlags,
  { ui, models, signal }: Surroundings,
): Promise<void> {
  const { precision, style, ...request } = readFlags(flags);
  const model = await prepareModel(request.model, models);
  const layers = chooseLayers(flags.layer ?? [], model.graph);
  const target = chooseTarget(flags.class, model.labels);
  const [, height, width] = model.graph.input.shape;
  const pictures = await readPictures(files, [height, width], model.resize);
  await using opened = await openClassifier({
    graph: model.graph,
    device: flags.device,
    precision,
    ranges: () =>
      calibrate(
        model.graph,
        pictures.map((picture) => normalisePixels(picture.data, picture.size, model)),
      ),
  });
  const { classifier } = opened;
  const job: ExplainJob = { classifier, model, pictures, layers, target, signal, ...request.job };
  await checkJob(job);
  const checks = await checkLogits(job);
  await openFolder(flags.out);
  for (const note of [...model.notes, ...(opened.note === undefined ? [] : [opened.note])]) ui.note(note);
  const record = await writeMaps(job, { ui, style, folder: flags.out });
  await writeManifest(flags.out, { ...describe(job, style, record), ...(checks.length > 0 && { checks }) });
  const count = record.maps.length;
  ui.print(`${count} ${count === 1 ? 'map' : 'maps'} in ${flags.out}`);
}

/**
 * Holds the first images' logits to ONNX Runtime in float32, where something else computes them.
 *
 * @throws UsageError when the two disagree
 */
async function checkLogits({ classifier, model, pictures }: ExplainJob): Promise<readonly SelfTest[]> {
  if (isReference(classifier)) return [];
  await using reference = ortClassifier(model.graph);
  const shown = pictures.slice(0, CHECKED);
  const images = stack(shown.map(({ data, size }) => normalisePixels(data, size, model)));
  const names = shown.map(({ name }) => name).join(', ');
  const [own, theirs] = [await classifier.predict(images), await reference.predict(images)];
  const checks = [compareLogits(names, own, theirs, classifier)];
  requireAgreement(classifier, checks);
  return checks;
}

/** Images whose logits are held to the reference. */
const CHECKED = 8;

interface Style {
  readonly colormap: ColormapName;
  readonly alpha: number;
  readonly formats: readonly Format[];
}

interface Destination {
  readonly ui: Ui;
  readonly style: Style;
  readonly folder: string;
}

/** What a manifest says about the images and the maps. */
interface MapsRecord {
  readonly images: readonly object[];
  readonly maps: readonly object[];
}

async function writeMaps(job: ExplainJob, { ui, style, folder }: Destination): Promise<MapsRecord> {
  const { alpha, formats } = style;
  const colours = colormaps[style.colormap];
  const images = new Map<string, object>();
  const maps: object[] = [];
  await makeMaps(job, ui, async (finding) => {
    const { picture, explanation, predicted } = finding;
    const blended = overlay({ image: picture, map: explanation.map, colours, alpha });
    const files = await writeFinding(folder, finding, { picture: blended, formats });
    images.set(picture.name, pictureRecord(picture, predicted));
    maps.push(findingRecord(finding, files));
  });
  return { images: [...images.values()], maps };
}

function describe({ model, classifier, seed }: ExplainJob, { colormap, alpha }: Style, record: MapsRecord): object {
  return {
    command: 'explain',
    model: modelRecord(model),
    device: classifier.device,
    ...(classifier.precision === 'f32' ? {} : { precision: classifier.precision }),
    versions: versions(),
    seed,
    colormap,
    alpha,
    ...record,
  };
}

function readFlags(flags: ExplainFlags) {
  const optional = <T>(text: string | undefined, read: (text: string) => T) =>
    text === undefined ? undefined : read(text);
  const channels = optional(flags.channels, (text) => wholeNumber('--channels', text));
  return {
    precision: oneOf('precision', flags.precision, precisions),
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
