import type { Classifier } from '@cambium/cam';
import { numpyRandom, type Tensor, tensor } from '@cambium/gpu-kernels';
import { metrics, rankChanges, type Subject } from '@cambium/metrics';
import type { PlaceCheck } from './records.ts';

/** Regions that are taken away, of a grid of 8×8. */
const REGIONS = 12;

/** What is scored by two classifiers. */
export interface PlaceRequest {
  /** 1×C×H×W */
  readonly image: Tensor;
  readonly target: number;
  /** Maps H×W of the same techniques, each made by one of the classifiers. */
  readonly maps: readonly { readonly title: string; readonly own: Tensor; readonly reference: Tensor }[];
  readonly own: Classifier;
  readonly reference: Classifier;
  readonly batch: number;
}

/**
 * Scores the maps that two classifiers made of one image by region perturbation in a few steps, each by the classifier that made
 * it, and ranks the techniques by either: what a precision or a device does to the order of the techniques.
 */
export async function checkPlaces(request: PlaceRequest): Promise<Pick<PlaceCheck, 'criterion' | 'techniques'>> {
  const { image, maps } = request;
  const [, , height, width] = image.shape;
  const patchSize = Math.ceil(Math.max(height, width) / 8);
  const { score, defaults, title, better } = metrics['region-perturbation'];
  const scored = async (classifier: Classifier, map: Tensor) =>
    (await score(subjectOf(request, classifier, map), { ...defaults, patchSize, regions: REGIONS })).value;
  const scores: { readonly own: number | null; readonly reference: number | null }[] = [];
  for (const map of maps) {
    scores.push({
      own: await scored(request.own, map.own),
      reference: await scored(request.reference, map.reference),
    });
  }
  const changes = rankChanges([scores.map(({ reference }) => reference)], [scores.map(({ own }) => own)], better);
  return {
    criterion: `${title}, ${REGIONS} regions of ${patchSize}×${patchSize}`,
    techniques: maps.map((map, index) => ({
      title: map.title,
      ...scores[index],
      place: changes.after[index],
      referencePlace: changes.before[index],
    })),
  };
}

function subjectOf({ image, target, batch }: PlaceRequest, classifier: Classifier, map: Tensor): Subject {
  return {
    image: tensor(image.data, image.shape.slice(1)),
    target,
    map,
    predict: classifier.predict,
    classifier,
    explain: () => Promise.reject(new Error('Region perturbation explains nothing.')),
    batchSize: batch,
    random: numpyRandom(0),
  };
}
