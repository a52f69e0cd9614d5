import { numpyRandom, type Random, type Tensor, tensor } from '@cambium/gpu-kernels';
import { type Baseline, drawBaseline, type Levels, levelsOf } from './baseline.ts';
import type { Replacement } from './outputs.ts';
import type { Regions } from './regions.ts';
import type { Subject } from './types.ts';

/** Groups of features (flat indices into C×H×W) that are replaced together; group k gets rank k + 1. */
export type Groups = readonly Uint32Array[];

/** The subject's stream of random numbers, or that of seed 0. */
export function randomOf(subject: Subject): Random {
  return subject.random ?? numpyRandom(0);
}

/**
 * Replaces group after group, each by a baseline of the image as it stands by then: a mean drifts from step to step.
 *
 * @param weights how often each pixel (H·W) counts in the mean; once unless given
 * @source spec 2.1, step 6
 */
export function replaceInTurn(
  subject: Subject,
  groups: Groups,
  { baseline, random, weights }: { baseline: Baseline; random: Random; weights?: Uint32Array },
): Replacement {
  const current = runningLevels(subject.image, weights);
  return replacing(subject.image, groups, (group) => {
    const value = Math.fround(drawBaseline(baseline, current.levels(), random));
    if (baseline === 'mean') current.replace(group, value); // the other levels stay as they are
    return value;
  });
}

/** Replaces every group by a baseline of the original image, drawn group after group. */
export function replaceInOriginal(subject: Subject, groups: Groups, baseline: Baseline, random: Random): Replacement {
  const levels = levelsOf(subject.image.data);
  return replacing(subject.image, groups, () => drawBaseline(baseline, levels, random));
}

/** Ranges from rank 1 to k for k = `least` … count: each variant replaces one group more. */
export function stepRanges(count: number, least = 1): Tensor {
  const ranges = Array.from({ length: count - least + 1 }, (_, index) => [1, least + index + 1]);
  return tensor(ranges.flat(), [ranges.length, 2]);
}

/** Ranges of rank k alone for k = 1 … count: each variant replaces one group. */
export function singleRanges(count: number): Tensor {
  const ranges = Array.from({ length: count }, (_, index) => [index + 1, index + 2]);
  return tensor(ranges.flat(), [count, 2]);
}

/** The features of regions in order, in all channels. */
export function regionGroups(regions: Regions, order: Uint32Array, channels: number): Uint32Array[] {
  const pixels = Array.from({ length: regions.count }, (): number[] => []);
  for (let pixel = 0; pixel < regions.of.length; pixel++) pixels[regions.of[pixel]].push(pixel);
  return Array.from(order, (region) => {
    const features = new Uint32Array(channels * pixels[region].length);
    let end = 0;
    for (let channel = 0; channel < channels; channel++) {
      for (const pixel of pixels[region]) features[end++] = channel * regions.of.length + pixel;
    }
    return features;
  });
}

/** Relevance of each group: the sum of the map, broadcast to all channels, over its features. */
export function groupSums(map: Tensor, groups: Groups): Float64Array<ArrayBuffer> {
  const size = map.data.length;
  return Float64Array.from(groups, (group) => {
    let sum = 0;
    for (const feature of group) sum += map.data[feature % size];
    return sum;
  });
}

/** Replaces every group by the same features of another image, C·H·W numbers. */
export function replaceByImage(image: Tensor, groups: Groups, other: Float32Array<ArrayBuffer>): Replacement {
  const { ranks, ...rest } = replacing(image, groups, () => 0);
  return { ...rest, ranks, fill: tensor(other, rest.fill.shape) };
}

/** Fill and ranks of groups, of which `replacementOf` is asked in their order. */
export function replacing(image: Tensor, groups: Groups, replacementOf: (group: Uint32Array) => number): Replacement {
  const fill = new Float32Array(image.data);
  const ranks = new Float32Array(image.data.length);
  for (const [index, group] of groups.entries()) {
    const value = replacementOf(group);
    for (const feature of group) {
      fill[feature] = value;
      ranks[feature] = index + 1;
    }
  }
  const shape = [1, ...image.shape];
  return { image: tensor(image.data, shape), fill: tensor(fill, shape), ranks: tensor(ranks, shape) };
}

/** Groups of pixels as groups of their features in all channels. */
export function inAllChannels(groups: readonly Uint32Array[], { shape: [channels, height, width] }: Tensor): Groups {
  const size = height * width;
  return groups.map((group) => {
    const features = new Uint32Array(channels * group.length);
    for (let channel = 0; channel < channels; channel++) {
      for (let index = 0; index < group.length; index++) {
        features[channel * group.length + index] = channel * size + group[index];
      }
    }
    return features;
  });
}

/** Levels of an image whose features are replaced; only the mean follows, since minimum and maximum stay. */
function runningLevels(
  image: Tensor,
  weights?: Uint32Array,
): { levels(): Levels; replace(g: Uint32Array, v: number): void } {
  const { black, white } = levelsOf(image.data);
  const current = new Float32Array(image.data);
  const size = image.shape[1] * image.shape[2];
  const weightOf = (feature: number) => weights?.[feature % size] ?? 1;
  let sum = 0;
  let total = 0;
  for (let feature = 0; feature < current.length; feature++) {
    sum += weightOf(feature) * current[feature];
    total += weightOf(feature);
  }
  return {
    levels: () => ({ black, white, mean: sum / total }),
    replace(group, value) {
      for (const feature of group) {
        sum += weightOf(feature) * (value - current[feature]);
        current[feature] = value;
      }
    },
  };
}
