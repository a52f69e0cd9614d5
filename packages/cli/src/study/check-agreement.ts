import {
  type AnyCamMethod,
  argmax,
  type Classifier,
  explain,
  methods,
  normalisePixels,
  ortClassifier,
  type Precision,
  probeImage,
} from '@cambium/cam';
import type { Tensor } from '@cambium/gpu-kernels';
import { mapDifference } from '@cambium/metrics';
import { UsageError } from '../errors.ts';
import { readPicture } from '../io/image.ts';
import type { SelfTest } from '../self-test.ts';
import { checkPlaces, type PlaceRequest } from './check-places.ts';
import type { LayerRecord, PlaceCheck } from './records.ts';
import { batchOf, type Options, type Study, type StudyTechnique } from './study.ts';

/** Largest difference that is allowed: of logits in units of the largest, of maps from 0 to 1. */
const ALLOWED: { readonly [precision in Precision]: { readonly logits: number; readonly map: number } } = {
  f32: { logits: 1e-3, map: 1e-2 }, // ReLUs may flip where they stand at 0
  f16: { logits: 2e-2, map: 2e-2 },
  int8: { logits: 0.2, map: 5e-2 },
};

/** Score-CAM is compared on the channels that vary most. */
const CHANNELS = 32;

/** What came of holding a classifier to the reference. */
export interface Agreement {
  readonly tests: readonly SelfTest[];
  readonly places: readonly PlaceCheck[];
}

/**
 * Holds a classifier to ONNX Runtime in float32 on the CPU, on the study's first image: its logits, the map of each technique
 * at each layer, and the order of the techniques by a short score. What less precision costs on this study is told by the same
 * numbers.
 *
 * @returns nothing for ONNX Runtime in float32 on the CPU itself
 * @throws UsageError when the two disagree, so that no long run is made of wrong numbers
 */
export async function checkAgreement(study: Study, classifier: Classifier): Promise<Agreement> {
  if (classifier.device === 'onnxruntime cpu' && classifier.precision === 'f32') return { tests: [], places: [] };
  const [first] = study.images;
  const [, height, width] = study.model.graph.input.shape;
  const picture = await readPicture(first.file, [height, width], study.model.resize);
  const image = normalisePixels(picture.data, picture.size, study.model);
  await using reference = ortClassifier(study.model.graph);
  const allowed = ALLOWED[classifier.precision];
  const [ours, theirs] = [await classifier.predict(image), await reference.predict(image)];
  const target = argmax(theirs.data);
  const tests: SelfTest[] = [
    {
      name: `logits of ${first.name}, in units of the largest, with ONNX Runtime’s in float32`,
      difference: relativeDifference(ours, theirs),
      tolerance: allowed.logits,
    },
  ];
  const places: PlaceCheck[] = [];
  for (const layer of study.layers) {
    const made: PlaceRequest['maps'][number][] = [];
    const [own, other] = await Promise.all(
      [classifier, reference].map(async (each) => (await probeImage(each, image)).at(layer.value, target)),
    );
    for (const technique of study.techniques) {
      if (technique.files || technique.method === 'random-cam') continue; // what no network makes
      const method: AnyCamMethod = methods[technique.method as keyof typeof methods]; // the others are the registry's
      const options = cheaply(technique);
      const maps = [await explain(own, method, options), await explain(other, method, options)];
      made.push({ title: technique.title, own: maps[0].map, reference: maps[1].map });
      const { largest, spearman } = mapDifference(maps[0].map, maps[1].map);
      tests.push({
        name: nameOf(technique, layer, first.name),
        difference: largest,
        tolerance: allowed.map,
        ...(spearman === null ? {} : { spearman }),
      });
    }
    if (made.length < 2) continue; // one has no order
    const request = { image, target, maps: made, own: classifier, reference, batch: batchOf(study, classifier) };
    places.push({ layer: layer.name, image: first.name, ...(await checkPlaces(request)) });
  }
  const wrong = tests.find(({ difference, tolerance }) => !(difference <= tolerance));
  if (!wrong) return { tests, places };
  throw new UsageError(
    `${classifier.device} disagrees with ONNX Runtime in float32: ${wrong.name}: ${wrong.difference.toExponential(1)}, at most ${wrong.tolerance} is allowed. Nothing was run. Use --device cpu, or --precision f32.`,
  );
}

function nameOf({ title, method }: StudyTechnique, { name }: LayerRecord, image: string): string {
  const share = method === 'score-cam' ? ` over ${CHANNELS} channels` : '';
  return `map of ${title}${share} at ${name} of ${image} with ONNX Runtime’s in float32`;
}

function cheaply({ method, options }: StudyTechnique): Options {
  return method === 'score-cam' ? { ...options, variant: 'faster', channels: CHANNELS } : options;
}

function relativeDifference(a: Tensor, b: Tensor): number {
  const scale = b.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return a.data.reduce((most, value, index) => Math.max(most, Math.abs(value - b.data[index])), 0) / scale;
}
