import { createHash } from 'node:crypto';
import { matchesGlob } from 'node:path';
import type { Precision } from '@cambium/cam';
import { versions } from '../versions.ts';
import type { StudyImage } from './images.ts';
import { digestOf } from './map-files.ts';
import type { StudyMetric } from './metrics.ts';
import type { LayerRecord, Options } from './records.ts';
import type { Study, StudyTechnique } from './study.ts';

/** One score to find: image × layer × technique × metric. */
export interface Cell {
  readonly key: string;
  readonly image: StudyImage;
  readonly layer: LayerRecord;
  readonly technique: StudyTechnique;
  readonly metric: StudyMetric;
}

/**
 * All cells of a study, in the order in which they are worked on: image by image, then metric by metric, so that what
 * they share is at hand.
 */
export function cellsOf(study: Study): Cell[] {
  const keys = openKeys(study);
  return study.images.flatMap((image) =>
    study.metrics.flatMap((metric) =>
      study.layers.flatMap((layer) =>
        study.techniques.map((technique) => ({
          key: keys.ofCell({ image, layer, technique, metric }),
          image,
          layer,
          technique,
          metric,
        })),
      ),
    ),
  );
}

/** The cells whose `method@layer` or `method@layer:metric` fits one of the globs; all without globs. */
export function selectCells(cells: readonly Cell[], globs: readonly string[]): Cell[] {
  return cells.filter((cell) => globs.length === 0 || globs.some((glob) => fits(cell, glob)));
}

function fits({ technique, layer, metric }: Cell, glob: string): boolean {
  const [place, wanted = '*'] = glob.split(':');
  const [method, at = '*'] = place.split('@');
  const names = [technique.id, technique.method, technique.method.replaceAll('-', '')];
  return (
    names.some((name) => matchesGlob(name, method)) && matchesGlob(layer.folder, at) && matchesGlob(metric.name, wanted)
  );
}

/** Names by which finished work is known again: SHA-256 of everything that its numbers follow from. */
export function openKeys(study: Study) {
  const { model, suite, target, precision } = study;
  const { graph, file, mean, std, resize } = model;
  const common = [
    file.sha256,
    graph.input.shape,
    mean,
    std,
    resize,
    target,
    suite.seed,
    versions(),
    ...lesser(precision),
  ];
  const digest = (parts: unknown) =>
    createHash('sha256')
      .update(JSON.stringify([...common, parts]))
      .digest('hex');
  const explained = (image: StudyImage, layer: LayerRecord, { method, options, files }: Explained) => [
    image.copy === undefined ? image.sha256 : [image.sha256, image.copy],
    target === 'label' ? classOf(study, image) : null,
    layer.value,
    method,
    // a map is what its file holds, wherever it lies
    sorted(files ? { ...options, maps: digestOf(files, layer, image) ?? null } : options),
  ];
  return {
    ofMap: (image: StudyImage, layer: LayerRecord, technique: Explained) => digest(explained(image, layer, technique)),
    ofCell: ({ image, layer, technique, metric }: Omit<Cell, 'key'>) =>
      digest([
        explained(image, layer, optionsWithin(metric, technique)),
        metric.name,
        sorted(metric.options),
        image.mask?.sha256 ?? null,
      ]),
  };
}

/** The class that an image's maps explain; undefined where it is the one that the network finds most likely. */
export function classOf({ target, model }: Pick<Study, 'target' | 'model'>, { label }: StudyImage): number | undefined {
  if (target === 'label') return model.labels.indexOf(label ?? ''); // every image has one of them
  return target === 'top1' ? undefined : target;
}

/** What less precision adds to what numbers follow from. */
export function lesser(precision: Precision): readonly Precision[] {
  return precision === 'f32' ? [] : [precision];
}

/** A method with its options. */
export type Explained = Pick<StudyTechnique, 'method' | 'options' | 'files'>;

/** A technique as a metric runs it: with the options that the suite gives for it there. */
export function optionsWithin({ explainWith }: StudyMetric, { method, options, files }: Explained): Explained {
  return { method, files, options: { ...options, ...explainWith[method] } };
}

function sorted(options: Options): unknown {
  return Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
}
