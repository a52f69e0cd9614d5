import { fromHere } from '../io/from-here.ts';
import { sha256 } from '../io/sha256.ts';
import { versions } from '../versions.ts';
import { classOf, lesser } from './cells.ts';
import type { RunRecord } from './records.ts';
import { reductionsOf } from './reductions.ts';
import type { Study } from './study.ts';

/** The part of `run.json` that follows from the study alone. */
export function studyRecord(
  study: Study,
): Pick<RunRecord, 'suite' | 'suiteKey' | 'model' | 'techniques' | 'layers' | 'metrics' | 'reductions' | 'seed'> {
  const { suite, model, images, techniques, layers, metrics, target, precision } = study;
  const described = {
    name: model.file.name,
    file: fromHere(model.file.path),
    sha256: model.file.sha256,
    labels: [...model.labels],
    input: [...model.graph.input.shape],
    mean: [...model.mean],
    std: [...model.std],
    resize: model.resize,
  };
  const { name, title = suite.name, seed } = suite;
  const deciding = [
    described.sha256,
    described.mean,
    described.std,
    described.resize,
    described.input,
    techniques.map(({ files: _, ...technique }) => technique),
  ];
  const mapFiles = techniques.flatMap(({ files = new Map() }) =>
    [...files].map(([place, file]) => [place, file.sha256]),
  );
  const decided = [
    ...(mapFiles.length > 0 ? [mapFiles] : []),
    layers,
    metrics,
    target,
    seed,
    images.map((image) => [image.name, image.sha256, ...(image.mask ? [image.mask.sha256] : [])]),
    ...(target === 'label' ? [images.map((image) => classOf(study, image))] : []),
    versions(),
    ...lesser(precision),
  ];
  return {
    suite: { ...resolvedSuite(study), name, title },
    suiteKey: sha256(Buffer.from(JSON.stringify([deciding, decided]))),
    model: described,
    techniques: techniques.map(({ files: _, ...technique }) => technique),
    layers: [...layers],
    metrics: metrics.map((metric) => ({ name: metric.name, options: metric.options })),
    reductions: reductionsOf(study),
    seed,
  };
}

function resolvedSuite({ suite, model, images, techniques, layers, metrics, target }: Study) {
  const { mean, std, resize, graph } = model;
  const [, height, width] = graph.input.shape;
  const { seed, batch } = suite;
  return {
    model: fromHere(model.file.path),
    preprocess: { size: [height, width], mean: [...mean], std: [...std], resize },
    images: images.map(({ file, label, mask }) => ({
      file: fromHere(file),
      ...(label !== undefined && { label }),
      ...(mask && { mask: fromHere(mask.file) }),
    })),
    layers: layers.map((layer) => layer.name),
    methods: techniques.map(({ id, method, title, options }) => ({ id, method, title, options })),
    metrics: metrics.map(({ name, options, explainWith }) => ({ metric: name, options, explainWith })),
    target,
    seed,
    ...(batch !== undefined && { batch }),
  };
}
