import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Graph, loadModel, ModelError } from '@cambium/cam';
import { UsageError } from './errors.ts';
import type { Resize } from './io/image.ts';
import { findModel, type ModelFile } from './io/model.ts';

/** A network with all that is needed to show it an image and to name its answer. */
export interface PreparedModel {
  readonly file: ModelFile;
  readonly graph: Graph;
  /** One for each class; the class's index where no labels are known. */
  readonly labels: readonly string[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly resize: Resize;
  /** What had to be assumed, for the person at the terminal. */
  readonly notes: readonly string[];
}

/** What the command line says about a model; each part wins over the manifest, the file's own words and the defaults. */
export interface ModelRequest {
  readonly model?: string;
  readonly size?: readonly [number, number];
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** A file with a label in each line, labels with commas between them, or a list of labels. */
  readonly labels?: string | readonly string[];
  /** What the labels were given by, for messages; `--labels` if it is not said. */
  readonly labelsFrom?: string;
}

/**
 * Finds and reads a model and settles labels, mean and standard deviation: from the request, else the manifest, else
 * the metadata of the ONNX file, else ImageNet's numbers and the indices of the classes. What was assumed is in the notes.
 *
 * @param folder the folder of models that come with the command, if any
 * @throws UsageError or ModelError when a part cannot be read or the parts do not fit each other
 */
export async function prepareModel(request: ModelRequest, folder: string | undefined): Promise<PreparedModel> {
  const file = await findModel(request.model, folder);
  return describeModel({ file, graph: await readNetwork(file, request.size) }, request);
}

/** A file and what it holds. */
export type Network = Pick<PreparedModel, 'file' | 'graph'>;

/**
 * Settles what a network is shown and how its answers are called, as `prepareModel` does.
 *
 * @throws UsageError when the parts do not fit each other
 */
export async function describeModel({ file, graph }: Network, request: ModelRequest): Promise<PreparedModel> {
  const { entry } = file;
  const [channels] = graph.input.shape;
  if (channels !== 3)
    throw new UsageError(`${file.path} takes images of ${channels} channels; Cambium shows it red, green and blue.`);
  const notes: string[] = [];
  const statistics = (name: 'mean' | 'std') =>
    request[name] ?? entry?.[name] ?? fromMetadata(graph, name, notes) ?? fallback(name, notes);
  return {
    file,
    graph,
    labels: await settleLabels(request, { file, graph, notes }),
    mean: statistics('mean'),
    std: statistics('std'),
    resize: entry?.resize ?? fallbackResize(notes),
    notes,
  };
}

/**
 * Reads the network of a model's file.
 *
 * @param size height and width that it is asked with; those of its manifest if they are not said
 * @throws ModelError, with the path of the file, when it cannot be read or does not take that size
 */
export async function readNetwork(file: ModelFile, size: ModelRequest['size']): Promise<Graph> {
  const { entry } = file;
  try {
    return await loadModel(file.path, { size: size ?? (entry && [entry.input[1], entry.input[2]]) });
  } catch (error) {
    // what is wrong with a model is said without its path by those who see only its bytes
    if (!(error instanceof ModelError) || error.message.includes(file.path)) throw error;
    throw new ModelError(`${file.path}: ${error.message.replace(/^The model: /, '')}`, { cause: error });
  }
}

/** How many classes the network tells apart. */
export function classCount(graph: Graph): number {
  const classes = graph.shapes.get(graph.logits)?.at(-1);
  if (classes === undefined)
    throw new UsageError(`The number of classes of ${graph.logits} is not known: export the model with fixed shapes.`);
  return classes;
}

interface LabelSources {
  readonly file: ModelFile;
  readonly graph: Graph;
  readonly notes: string[];
}

async function settleLabels(
  { labels: requested, labelsFrom: key = '--labels' }: ModelRequest,
  { file, graph, notes }: LabelSources,
): Promise<readonly string[]> {
  const classes = classCount(graph);
  const labels = typeof requested === 'string' ? await readLabels(requested, key) : (requested ?? file.entry?.labels);
  if (labels) {
    if (labels.length === classes) return labels;
    const source = requested === undefined ? 'the manifest' : key;
    throw new UsageError(
      `${source} names ${labels.length}, and ${file.path} has ${classes} classes: give one label for each class.`,
    );
  }
  const own = graph.metadata.labels?.split(',').map((label) => label.trim());
  if (own?.length === classes && !own.includes('')) {
    notes.push(`labels: from the metadata of ${file.path}`);
    return own;
  }
  notes.push(`labels: none known, classes are called 0 to ${classes - 1}; name them with --labels`);
  return Array.from({ length: classes }, (_, index) => String(index));
}

async function readLabels(requested: string, key: string): Promise<string[]> {
  if (!existsSync(requested)) {
    if (requested.includes(',')) return splitLabels(requested, key);
    throw new UsageError(`${key} ${requested} is neither a file nor a list with commas.`);
  }
  const text = await readFile(requested, 'utf8').catch((error) => {
    throw new UsageError(`${key} ${requested} cannot be read as a text file with a label in each line.`, {
      cause: error,
    });
  });
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function splitLabels(requested: string, key: string): string[] {
  const labels = requested.split(',').map((label) => label.trim());
  const empty = labels.indexOf('');
  if (empty < 0) return labels;
  throw new UsageError(
    `${key} ${requested} has nothing for class ${empty}; give one label for each class, with commas between them.`,
  );
}

function fromMetadata(graph: Graph, name: 'mean' | 'std', notes: string[]): readonly number[] | undefined {
  const numbers = graph.metadata[name]?.split(',').map(Number);
  const usable =
    numbers?.length === 3 && numbers.every((value) => Number.isFinite(value) && (name === 'mean' || value > 0));
  if (!usable) return undefined;
  notes.push(`${name}: ${numbers.join(', ')}, from the model's metadata`);
  return numbers;
}

function fallback(name: 'mean' | 'std', notes: string[]): readonly number[] {
  notes.push(
    `${name}: ${IMAGENET[name].join(', ')}, ImageNet's, because the model says nothing; change it with --${name}`,
  );
  return IMAGENET[name];
}

function fallbackResize(notes: string[]): Resize {
  notes.push(
    'resize: shorter side to size, then the middle, because the model says nothing; a manifest.json beside it can say "resize": "squash"',
  );
  return 'shorter-side-centre-crop';
}

/** Of u8/255, red, green and blue. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
