import {
  type AnyCamMethod,
  argmax,
  type Classifier,
  explain,
  methods,
  normalisePixels,
  ortClassifier,
  probeImage,
} from '@cambium/cam';
import { mapDifference } from '@cambium/metrics';
import { readPicture } from '../io/image.ts';
import { ALLOWED, type Compared, compareLogits, isReference, requireAgreement } from '../reference.ts';
import type { SelfTest } from '../self-test.ts';
import { checkPlaces, type PlaceRequest } from './check-places.ts';
import { checkVariants } from './check-variants.ts';
import type { StudyImage } from './images.ts';
import type { LayerRecord, Options, PlaceCheck } from './records.ts';
import { batchOf, type Study, type StudyTechnique } from './study.ts';

/** Score-CAM is compared on the channels that vary most. */
const CHANNELS = 32;

/** What came of holding a classifier to the reference. */
export interface Agreement {
  readonly tests: readonly SelfTest[];
  readonly places: readonly PlaceCheck[];
}

/**
 * Holds a classifier to ONNX Runtime in float32 on the CPU, on the study's first images: their logits and those of their variants,
 * the map of each technique at each layer, and the order of the techniques by a short score. What less precision costs on this
 * study is told by the same numbers.
 *
 * @returns nothing for ONNX Runtime in float32 on the CPU itself
 * @throws UsageError when the two disagree, so that no long run is made of wrong numbers
 */
export async function checkAgreement(study: Study, classifier: Classifier): Promise<Agreement> {
  if (isReference(classifier)) return { tests: [], places: [] };
  await using reference = ortClassifier(study.model.graph);
  const found: Agreement[] = [];
  for (const image of study.images.slice(0, IMAGES))
    found.push(await checkImage(study, image, { classifier, reference }));
  return { tests: found.flatMap(({ tests }) => tests), places: found.flatMap(({ places }) => places) };
}

/** Images that are compared. */
const IMAGES = 3;

async function checkImage(study: Study, { name, file }: StudyImage, compared: Compared): Promise<Agreement> {
  const { classifier, reference } = compared;
  const [, height, width] = study.model.graph.input.shape;
  const picture = await readPicture(file, [height, width], study.model.resize);
  const image = normalisePixels(picture.data, picture.size, study.model);
  const [logits, expected] = [await classifier.predict(image), await reference.predict(image)];
  const tests = [compareLogits(name, logits, expected, classifier), ...(await checkVariants(name, image, compared))];
  requireAgreement(classifier, tests); // before maps and scores are made of them
  const target = argmax(expected.data);
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
        name: nameOf(technique, layer, name),
        difference: largest,
        tolerance: ALLOWED[classifier.precision].map,
        ...(spearman === null ? {} : { spearman }),
      });
    }
    requireAgreement(classifier, tests);
    if (made.length < 2) continue; // one has no order
    const request = { image, target, maps: made, own: classifier, reference, batch: batchOf(study, classifier) };
    places.push({ layer: layer.name, image: name, ...(await checkPlaces(request)) });
  }
  return { tests, places };
}

function nameOf({ title, method }: StudyTechnique, { name }: LayerRecord, image: string): string {
  const share = method === 'score-cam' ? ` over ${CHANNELS} channels` : '';
  return `map of ${title}${share} at ${name} of ${image} with ONNX Runtime’s in float32`;
}

function cheaply({ method, options }: StudyTechnique): Options {
  return method === 'score-cam' ? { ...options, variant: 'faster', channels: CHANNELS } : options;
}
