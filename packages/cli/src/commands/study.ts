import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ortClassifier } from '@cambium/cam';
import { checkJob } from '../check-job.ts';
import { codeOf, UsageError } from '../errors.ts';
import type { ExplainJob, Finding } from '../explain-pictures.ts';
import { wholeNumber } from '../flags.ts';
import { openFolder, reasonOf, writeAtomically } from '../io/atomic-write.ts';
import { encodeWithSvg, type Picture, readPictures } from '../io/image.ts';
import { chooseLayers } from '../layers.ts';
import { makeMaps } from '../make-maps.ts';
import { findingRecord, modelRecord, pictureRecord, writeFinding, writeManifest } from '../outputs.ts';
import { prepareModel } from '../prepared-model.ts';
import { colormaps } from '../render/colormap.ts';
import { drawFigure } from '../render/figure.ts';
import { overlay } from '../render/overlay.ts';
import { table } from '../render/table.ts';
import { studyFigure } from '../study-figure.ts';
import type { Surroundings } from '../surroundings.ts';
import { labelOfName } from '../targets.ts';
import { chooseTechniques } from '../techniques.ts';
import type { Ui } from '../ui.ts';
import { versions } from '../versions.ts';

/** The flags of `cambium study` as they were typed. */
export interface StudyFlags {
  readonly full?: true;
  readonly images?: string;
  readonly model?: string;
  readonly batch?: string;
  readonly out: string;
}

/**
 * Runs the study: the four techniques on a folder of images at an intermediate and the last layer, as overlays, maps
 * and one figure for each layer.
 *
 * Score-CAM keeps 64 channels; with `full` it is the authors' variant, with every channel. The folder is made when
 * every image has been read, every walk can be made and the network has answered the first image.
 *
 * @throws UsageError, ModelError or NameError for what cannot be done as asked
 */
export async function studyCommand(flags: StudyFlags, { ui, root, models, signal }: Surroundings): Promise<void> {
  const batch = flags.batch === undefined ? undefined : wholeNumber('--batch', flags.batch);
  const techniques = chooseTechniques({ methods: TECHNIQUES, variant: flags.full ? 'author' : 'faster' });
  const model = await prepareModel({ model: flags.model }, models);
  const layers = chooseLayers(LAYERS, model.graph);
  const [, height, width] = model.graph.input.shape;
  const pictures = await readPictures(await imageFiles(flags.images, root), [height, width], model.resize);
  await using classifier = ortClassifier(model.graph);
  const work = { classifier, model, pictures, layers, techniques };
  const job: ExplainJob = { ...work, target: 'top1', batch, seed: SEED, signal };
  await checkJob(job);
  await openFolder(flags.out);
  for (const note of model.notes) ui.note(note);
  const maps = await writeMaps(job, ui, flags.out);
  const figures = await writeFigures(job, maps, flags.out);
  await writeManifest(flags.out, { ...describe(job, maps), figures });
  for (const line of predictionTable(job, maps)) ui.print(line);
  ui.print(`\n${maps.length} maps and ${figures.join(', ')} in ${flags.out}`);
}

/** A map that was written, and the names of its files. */
interface WrittenMap {
  readonly finding: Finding;
  readonly files: readonly string[];
}

async function writeMaps(job: ExplainJob, ui: Ui, folder: string): Promise<WrittenMap[]> {
  const maps: WrittenMap[] = [];
  await makeMaps(job, ui, async (finding) => {
    const { picture, explanation } = finding;
    const pixels = overlay({ image: picture, map: explanation.map, colours: colormaps.turbo, alpha: ALPHA });
    const files = await writeFinding(folder, finding, { picture: pixels, formats: ['png', 'npy'] });
    maps.push({ finding, files });
  });
  return maps;
}

/** One figure for each layer. @returns the names of the files */
async function writeFigures(job: ExplainJob, maps: readonly WrittenMap[], folder: string): Promise<string[]> {
  const findings = maps.map(({ finding }) => finding);
  const names: string[] = [];
  for (const layer of job.layers) {
    const name = `figure-${layer.name}.png`;
    const { pixels, svg } = drawFigure(studyFigure(job, layer, findings));
    await writeAtomically(join(folder, name), await encodeWithSvg(pixels, svg));
    names.push(name);
  }
  return names;
}

function describe({ model, classifier, pictures, seed }: ExplainJob, maps: readonly WrittenMap[]): object {
  const firsts = pictures.map((picture) => firstOf(picture, maps));
  return {
    command: 'study',
    model: modelRecord(model),
    device: classifier.device,
    versions: versions(),
    seed,
    colormap: 'turbo',
    alpha: ALPHA,
    images: firsts.map(({ picture, predicted }) => pictureRecord(picture, predicted)),
    maps: maps.map(({ finding, files }) => findingRecord(finding, files)),
  };
}

function predictionTable({ pictures, model }: ExplainJob, maps: readonly WrittenMap[]): string[] {
  const rows = pictures.map((picture) => {
    const { predicted } = firstOf(picture, maps);
    const label = labelOfName(picture.name, model.labels);
    const verdict = label === undefined ? '' : label === predicted.label ? '✔' : `✖ labelled ${label}`;
    return [picture.name, predicted.label, `${(100 * predicted.probability).toFixed(1)} %`, verdict];
  });
  return table(['image', 'predicted', 'probability', 'correct'], rows);
}

function firstOf(picture: Picture, maps: readonly WrittenMap[]): Finding {
  const found = maps.find(({ finding }) => finding.picture === picture);
  if (!found) throw new Error(`No map was made for ${picture.file}.`);
  return found.finding;
}

async function imageFiles(folder: string | undefined, root: string | undefined): Promise<string[]> {
  const path = folder ?? (root && join(root, 'test-fixtures', 'images'));
  if (path === undefined) throw new UsageError('No images come with this installation: name a folder with --images.');
  const names = await readdir(path).catch((error) => {
    const reason = codeOf(error) === 'ENOTDIR' ? 'it is a file, not a folder' : reasonOf(error);
    throw new UsageError(`The images in ${path} cannot be listed: ${reason}. Name a folder with --images.`, {
      cause: error,
    });
  });
  const images = names.filter((name) => IMAGE_NAME.test(name)).sort();
  if (images.length === 0)
    throw new UsageError(
      `There are no images in ${path}; name a folder of PNG, JPEG, WebP, GIF, TIFF or AVIF files with --images.`,
    );
  return images.map((name) => join(path, name));
}

const TECHNIQUES = ['grad-cam', 'grad-cam++', 'score-cam', 'relevance-cam'];
const LAYERS = ['layer2', 'layer4'];
const ALPHA = 0.5;
const SEED = 42;
const IMAGE_NAME = /\.(png|jpe?g|webp|gif|tiff?|avif)$/i;
