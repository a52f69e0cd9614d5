import { join, resolve } from 'node:path';
import { type AnyCamMethod, type Classifier, type Graph, methods, type Precision, requireWalk } from '@cambium/cam';
import type { Shape } from '@cambium/gpu-kernels';
import { UsageError } from '../errors.ts';
import { findModel } from '../io/model.ts';
import { chooseLayers } from '../layers.ts';
import { checkDistinct, fileSafe } from '../outputs.ts';
import { describeModel, type ModelRequest, type PreparedModel, readNetwork } from '../prepared-model.ts';
import { chooseTarget, type TargetChoice } from '../targets.ts';
import { findImages, type StudyImage } from './images.ts';
import type { LoadedSuite } from './load-suite.ts';
import { findMapFiles, type MapFiles, type MapFilesOptions, mapsFromFiles } from './map-files.ts';
import { metricsOf, type StudyMetric } from './metrics.ts';
import type { LayerRecord, Options, TechniqueRecord } from './records.ts';
import type { Suite } from './suite.ts';
import { within } from './within.ts';

/** A method as a study runs it. */
export interface StudyTechnique extends Omit<TechniqueRecord, 'method'> {
  readonly method: keyof typeof runMethods;
  /** Its maps, where they come from files. */
  readonly files?: MapFiles;
}

/** What a run has for methods: those of the registry, and maps that come from files. */
export const runMethods = { ...methods, maps: mapsFromFiles } satisfies { readonly [name: string]: AnyCamMethod };

/** A suite with everything looked up and checked: what a run, a plan and a report of it agree on. */
export interface Study {
  readonly suite: Suite;
  readonly source: string;
  readonly model: PreparedModel;
  readonly images: readonly StudyImage[];
  readonly techniques: readonly StudyTechnique[];
  readonly layers: readonly LayerRecord[];
  readonly metrics: readonly StudyMetric[];
  readonly target: TargetChoice | 'label';
  /** Of forward passes that are asked for their logits. */
  readonly precision: Precision;
}

/** Images in one run of the network: as many as the suite or the command line says, else what suits the classifier. */
export function batchOf({ suite }: Study, { batch }: Pick<Classifier, 'batch'>): number {
  return suite.batch ?? batch ?? 16;
}

/** What the command line says besides the suite. */
export interface StudyFlags {
  readonly images?: string;
  readonly model?: string;
  readonly limit?: number;
  readonly seed?: number;
  readonly batch?: number;
  readonly precision?: Precision;
}

/**
 * Looks up model, images, layers, methods and metrics of a suite and checks that they fit each other.
 *
 * @param models the folder of the models that come with the command
 * @throws UsageError, ModelError or NameError naming what does not fit
 */
export async function resolveStudy(
  { suite: given, source, base }: LoadedSuite,
  flags: StudyFlags,
  models: string | undefined,
): Promise<Study> {
  const suite = { ...given, seed: flags.seed ?? given.seed, batch: flags.batch ?? given.batch };
  const model = await modelOf(suite, { base, models, named: flags.model });
  const layers = layersOf(suite, model.graph);
  checkDistinct(
    'layers',
    layers.map(({ name, folder }) => ({ stem: folder, source: name })),
  );
  const found = await findImages({
    images: flags.images ?? suite.images ?? join('test-fixtures', 'images'),
    base: flags.images === undefined ? base : '.',
    labels: model.labels,
    place: flags.images === undefined ? 'images' : '--images',
  });
  const images = found.slice(0, flags.limit);
  const target =
    suite.target === 'label' ? 'label' : within('target', () => chooseTarget(String(suite.target), model.labels));
  if (target === 'label') requireLabels(images, model.labels);
  const named = distinct(suite.methods.map(techniqueOf));
  const techniques = await Promise.all(named.map((technique, index) => withFiles(technique, index)));
  requireWalks(techniques, layers, model.graph);
  async function withFiles(technique: StudyTechnique, index: number): Promise<StudyTechnique> {
    const { maps, negative } = technique.options as MapFilesOptions; // the schema checked them
    if (technique.method !== 'maps' || typeof maps !== 'string') return technique;
    const place = `methods[${index}]`;
    return { ...technique, files: await findMapFiles({ options: { maps, negative }, base, place, images, layers }) };
  }
  return {
    suite,
    source,
    model,
    images,
    techniques,
    layers,
    metrics: metricsOf(suite, model.graph.input.shape),
    target,
    precision: flags.precision ?? 'f32',
  };
}

// told now, not after hours: a network that a method cannot walk back through
function requireWalks(techniques: readonly StudyTechnique[], layers: readonly LayerRecord[], graph: Graph): void {
  for (const { method, options } of techniques) {
    const { rules }: AnyCamMethod = runMethods[method];
    for (const rule of rules(options)) for (const { value } of layers) requireWalk(graph, value, rule);
  }
}

async function modelOf(
  { model, preprocess = {}, classes }: Suite,
  { base, models, named }: { base: string; models: string | undefined; named: string | undefined },
): Promise<PreparedModel> {
  const { resize, ...numbers } = preprocess;
  const labels = typeof classes === 'string' ? resolve(base, classes) : classes;
  const own = model !== undefined && /[/\\]|\.onnx$/i.test(model) ? resolve(base, model) : model;
  const request: ModelRequest = { labels, labelsFrom: 'classes', ...numbers };
  const place = named === undefined ? 'model' : '--model';
  const file = await within(place, () => findModel(named ?? own, models));
  const graph = await within(numbers.size ? 'preprocess.size' : place, () => readNetwork(file, numbers.size));
  const prepared = await describeModel({ file, graph }, request);
  if (resize === undefined) return prepared;
  return { ...prepared, resize, notes: prepared.notes.filter((note) => !note.startsWith('resize')) };
}

function layersOf({ layers }: Suite, graph: Graph): LayerRecord[] {
  const seen = new Map<string, string>();
  return layers.flatMap((name, index) =>
    within(`layers[${index}]`, () =>
      chooseLayers([name], graph).map((layer) => {
        const other = seen.get(layer.value);
        if (other !== undefined) throw new UsageError(`${name} is ${other}, which is there already.`);
        seen.set(layer.value, name);
        return layerRecord(layer, graph);
      }),
    ),
  );
}

function layerRecord(
  { name, value, shape }: { name: string; value: string; shape?: Shape },
  graph: Graph,
): LayerRecord {
  if (shape === undefined || shape.length !== 3) {
    throw new UsageError(
      `The shape of layer ${name} in ${graph.logits}'s network is not known: export the model with shape inference.`,
    );
  }
  return { name, value, shape: [...shape], folder: fileSafe(name) };
}

function techniqueOf(entry: Suite['methods'][number]): StudyTechnique {
  const method = entry.method as StudyTechnique['method']; // the schema let only names of the registry through
  const { title, defaults }: AnyCamMethod = runMethods[method];
  const options: Options = { ...defaults, ...entry.options };
  const { variant } = options;
  const named = typeof variant === 'string' ? variant : undefined;
  const id = entry.id ?? (entry.options.variant ? `${method}.${named}` : method);
  const form = named ? formOf(options) : '';
  return { id: fileSafe(id), method, ...(named && { variant: named }), title: entry.title ?? title, form, options };
}

function formOf({ variant, channels }: Options): string {
  return channels === undefined ? String(variant) : `${variant}, ${channels} channels`;
}

function distinct(techniques: readonly StudyTechnique[]): readonly StudyTechnique[] {
  const seen = new Set<string>();
  for (const [index, { id }] of techniques.entries()) {
    if (seen.has(id.toLowerCase())) {
      throw new UsageError(`methods[${index}]: two methods would both be called "${id}"; give one an "id" of its own.`);
    }
    seen.add(id.toLowerCase());
  }
  return techniques;
}

function requireLabels(images: readonly StudyImage[], labels: readonly string[]): void {
  const missing = images.find(({ label }) => label === undefined);
  if (missing) throw new UsageError(`target: "label" needs a label for every image, and ${missing.file} has none.`);
  const twice = images.find(({ label = '' }) => labels.indexOf(label) !== labels.lastIndexOf(label));
  if (twice) {
    throw new UsageError(
      `target: "label" needs classes of different names, and ${twice.file} is labelled "${twice.label}" like several.`,
    );
  }
}
