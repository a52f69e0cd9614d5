import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { methods } from '@cambium/cam';
import { numpyRandom, type Random, type Tensor, tensor } from '@cambium/gpu-kernels';
import { metrics, studyMetrics } from '@cambium/metrics';
import { encodeImage, readPicture } from '../../src/io/image.ts';
import { encodeNpy } from '../../src/io/npy.ts';
import type { ImageRecord, MapRow, ResultRow, RunRecord } from '../../src/study/records.ts';
import { files } from '../../src/study/run-files.ts';
import { root } from './run-cambium.ts';

/** What a made-up run differs in from the usual one. */
export interface SyntheticRun {
  readonly images?: readonly string[];
  readonly methods?: readonly (keyof typeof methods)[];
  readonly layers?: readonly string[];
  /** Stands in every place that a user can write words into. */
  readonly words?: string;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly seed?: number;
  readonly suiteKey?: string;
  /** Added to each score of this technique. */
  readonly shift?: { readonly technique: string; readonly by: number };
  /** Rows are changed, or left out with undefined. */
  change?(row: ResultRow, index: number): ResultRow | undefined;
}

/** Writes a run folder with made-up scores and maps that look like a run's; equal wishes give equal files. */
export async function writeSyntheticRun(folder: string, wishes: SyntheticRun = {}): Promise<RunRecord> {
  const run = describeRun(wishes);
  const random = numpyRandom(wishes.seed ?? 7);
  const rows: ResultRow[] = [];
  const maps: MapRow[] = [];
  for (const image of run.images) {
    await writeInput(folder, image);
    for (const layer of run.layers) {
      for (const technique of run.techniques) {
        const place = { layer: layer.folder, technique: technique.id, image: image.name };
        const coarse = blobs(random, layer.shape[1], technique.method === 'random-cam');
        write(join(folder, files.coarse(place)), encodeNpy(coarse));
        write(join(folder, files.map(place)), encodeNpy(enlarge(coarse, 224)));
        const forwards = technique.method === 'score-cam' ? 64 : 1;
        const about = { image: image.name, layer: layer.name, technique: technique.id, device: run.device };
        maps.push({
          ...about,
          key: keyOf(about),
          target: 0,
          coarse: 'd'.repeat(64),
          degenerate: false,
          forwards,
          seconds: forwards / 25,
        });
        for (const { name, options } of run.metrics) {
          rows.push(scoreRow({ run, wishes, random, about, method: technique.method, metric: name, options }));
        }
      }
    }
  }
  const { index, count } = run.shard;
  const own = rows.filter((_, row) => row % count === index - 1);
  const kept = own.flatMap((row, position) => (wishes.change ? (wishes.change(row, position) ?? []) : row));
  const record = { ...run, cells: own.length, complete: kept.length === own.length };
  write(join(folder, files.run), JSON.stringify(record, null, 2));
  write(join(folder, files.results), kept.map((row) => `${JSON.stringify(row)}\n`).join(''));
  write(join(folder, files.maps), maps.map((map) => `${JSON.stringify(map)}\n`).join(''));
  return record;
}

const TEXTURES = ['bubbly', 'crosshatched', 'fibrous', 'honeycombed', 'knitted', 'lined', 'polka-dotted', 'veined'];

function describeRun(wishes: SyntheticRun): RunRecord {
  const { words = '', shard = { index: 1, count: 1 }, layers = ['layer2', 'layer4'] } = wishes;
  const labels = TEXTURES.map((name) => `${name}${words}`);
  const used = wishes.methods ?? ['grad-cam', 'grad-cam++', 'score-cam', 'relevance-cam', 'random-cam'];
  return {
    format: 1,
    suite: { name: 'synthetic', title: `A made-up study${words}`, remark: words },
    suiteKey: wishes.suiteKey ?? 'a'.repeat(64),
    model: {
      name: `textures${words}`,
      file: `models/textures${words}.onnx`,
      sha256: 'b'.repeat(64),
      labels,
      input: [3, 224, 224],
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      resize: 'squash',
    },
    images: (wishes.images ?? TEXTURES).map((name, index) => imageRecord(name, { labels, index, words })),
    techniques: used.map(techniqueRecord),
    layers: layers.map((name, index) => ({
      name: `${name}${words}`,
      value: `/${name}/Relu_output_0`,
      shape: index === 0 && layers.length > 1 ? [512, 28, 28] : [2048, 7, 7],
      folder: name,
    })),
    metrics: studyMetrics.map((name) => ({ name, options: JSON.parse(JSON.stringify(metrics[name].defaults)) })),
    reductions: [`Continuity: 10 steps instead of 28${words}`],
    device: `cpu${words}`,
    versions: { cambium: '0.1.0', onnxruntime: '1.30.0' },
    seed: 42,
    shard,
    cells: 0,
    command: `run synthetic${words}`,
    started: '2026-11-23T09:00:00.000Z',
    ended: '2026-11-23T09:10:40.000Z',
    complete: true,
    checks: [{ name: `logits of bubbly.png against the recorded ones${words}`, difference: 6e-7, tolerance: 1e-4 }],
    places: [
      {
        layer: `layer4${words}`,
        image: `bubbly${words}`,
        criterion: `Region perturbation${words}`,
        techniques: [
          { title: `Grad-CAM${words}`, own: 0.31, reference: 0.3, place: 1, referencePlace: 2 },
          { title: `Score-CAM${words}`, own: 0.25, reference: 0.35, place: 2, referencePlace: 1 },
          { title: `Relevance-CAM${words}`, own: null, reference: 0.1, place: null, referencePlace: 3 },
        ],
      },
    ],
    loop: { images: 8, batch: 16, single: 0.05, batched: 0.04 },
    spent: { seconds: 640, classifier: 627, forwards: 11_025 },
  };
}

function techniqueRecord(method: keyof typeof methods): RunRecord['techniques'][number] {
  const { title } = methods[method];
  if (method !== 'score-cam') return { id: method, method, title, form: '', options: {} };
  return { id: 'score-cam.faster', method, variant: 'faster', title, form: 'faster, 64 channels', options: {} };
}

function imageRecord(
  name: string,
  { labels, index, words }: { labels: readonly string[]; index: number; words: string },
): ImageRecord {
  const answer = (place: number, probability: number) => {
    const at = (index + place) % labels.length;
    return { index: at, label: labels[at], probability };
  };
  const predicted = answer(index === 3 ? 1 : 0, 0.95 - 0.04 * index);
  return {
    name,
    file: `images/${name}${words}.png`,
    sha256: 'c'.repeat(64),
    label: labels[index % labels.length],
    predicted,
    top3: [predicted, answer(2, 0.03), answer(3, 0.01)],
    target: predicted,
  };
}

interface ScoreRequest {
  readonly run: RunRecord;
  readonly wishes: SyntheticRun;
  readonly random: Random;
  readonly about: {
    readonly image: string;
    readonly layer: string;
    readonly technique: string;
    readonly device: string;
  };
  readonly method: string;
  readonly metric: string;
  readonly options: ResultRow['options'];
}

function scoreRow({ run, wishes, random, about, method, metric, options }: ScoreRequest): ResultRow {
  const base = 0.45 - 0.07 * run.techniques.findIndex(({ id }) => id === about.technique);
  const noise = 0.07 * random.normal();
  const shift = wishes.shift?.technique === about.technique ? wishes.shift.by : 0;
  const scale = { continuity: 3, complexity: 10, 'non-sensitivity': 40_000 }[metric] ?? 1;
  const good = metrics[metric as keyof typeof metrics].better === 'higher'; // a name of `studyMetrics`
  const value = scale * Math.max(0.01, good ? base + noise + shift : 0.7 - base + noise + shift);
  const curve = Array.from({ length: 30 }, (_, step) => 0.9 * (1 - Math.exp(-((step + 1) * value) / 4)));
  const detail = metric === 'region-perturbation' ? { detail: { curve, original: 0.93 } } : {};
  const forwards = { 'region-perturbation': 101, continuity: 28, 'non-sensitivity': 700 }[metric] ?? 1;
  return {
    key: keyOf({ ...about, metric }),
    model: run.model.sha256,
    ...about,
    method,
    metric,
    options,
    value,
    ...detail,
    forwards,
    explanations: metric === 'continuity' ? 27 : 0,
    seconds: forwards / 25,
    seed: run.seed,
  };
}

function keyOf(parts: object): string {
  return JSON.stringify(parts);
}

// a few bumps where a map would have them, and noise for the yardstick
function blobs(random: Random, side: number, noise: boolean): Tensor {
  const centres = Array.from({ length: 3 }, () => [random.uniform(), random.uniform(), 0.08 + 0.2 * random.uniform()]);
  const data = Float32Array.from({ length: side * side }, (_, index) => {
    if (noise) return random.uniform();
    const [x, y] = [((index % side) + 0.5) / side, (Math.floor(index / side) + 0.5) / side];
    return centres.reduce(
      (sum, [cx, cy, width]) => sum + Math.exp(-((x - cx) ** 2 + (y - cy) ** 2) / width ** 2),
      -0.05,
    );
  });
  return tensor(data, [side, side]);
}

function enlarge({ data, shape }: Tensor, side: number): Tensor {
  const [from] = shape;
  const largest = data.reduce((a, b) => Math.max(a, b), 1e-9);
  const at = (row: number, column: number) =>
    Math.max(0, data[Math.min(row, from - 1) * from + Math.min(column, from - 1)]) / largest;
  const values = Float32Array.from({ length: side * side }, (_, index) => {
    const [row, column] = [
      (Math.floor(index / side) * (from - 1)) / (side - 1),
      ((index % side) * (from - 1)) / (side - 1),
    ];
    const [top, left] = [Math.floor(row), Math.floor(column)];
    const [down, right] = [row - top, column - left];
    return (
      (1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1)) +
      down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1))
    );
  });
  return tensor(values, [side, side]);
}

async function writeInput(folder: string, { name }: ImageRecord): Promise<void> {
  const file = join(root, 'test-fixtures', 'images', `${TEXTURES.includes(name) ? name : 'bubbly'}.png`);
  const picture = await readPicture(file, [224, 224], 'squash');
  write(join(folder, files.input(name)), await encodeImage(picture, 'webp'));
}

function write(file: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}
