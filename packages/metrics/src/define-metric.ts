import { ShapeError, type Tensor } from '@cambium/gpu-kernels';
import { degeneracy } from './degenerate.ts';
import { NoScore } from './no-score.ts';
import type { Metric, Need, Score, Subject } from './types.ts';

/** A metric before its guards: `measure` may trust subject and options. */
export type MetricDefinition<Options extends object> = Omit<Metric<Options>, 'score'> & {
  /** Whether maps that are constant or negative everywhere have a score; unless it says so, they have none. */
  readonly degenerateMaps?: 'scored';
  /** A value that is not finite becomes null with a reason. */
  measure(subject: Subject, options: Options): Promise<Score>;
};

/**
 * Makes a metric of its definition: `score` fills in the defaults, checks subject and options before anything is
 * computed, answers null where the subject lacks what the metric needs or its map ranks nothing, and never returns NaN.
 */
export function defineMetric<Options extends object>(definition: MetricDefinition<Options>): Metric<Options> {
  const { measure, degenerateMaps, ...record } = definition;
  return {
    ...record,
    check: (options, image) => definition.check(options, image), // works without its record, too
    async score(subject, given = {}) {
      const options = withDefaults(record.name, record.defaults, given);
      requireSubject(record.name, subject);
      record.check(options, subject.image.shape);
      const missing = record.needs.find((need) => lacks(subject, need));
      if (missing) return { value: null, reason: `${record.name} needs ${described[missing]}; the subject has none.` };
      const reason = degenerateMaps === 'scored' ? undefined : degeneracy(subject.map);
      if (reason) return { value: null, reason: `${record.name} has no score here: ${reason}.` };
      return finite(record.name, await measured(record.name, () => measure(subject, options)));
    },
  };
}

const described: { readonly [need in Need]: string } = {
  predict: 'a function that classifies',
  explain: 'a function that explains',
  mask: 'a mask of the object',
  randomise: 'a network whose parameters can be drawn anew',
  companions: 'the subjects scored together with this one (companions)',
};

function lacks(subject: Subject, need: Need): boolean {
  return subject[need] === undefined;
}

/**
 * All options: those that are given, and the defaults of those that are left out or undefined.
 *
 * @throws RangeError for an option that the metric does not have, or that is null, and for null in place of options
 */
export function withDefaults<Options extends object>(name: string, defaults: Options, given: object | null): Options {
  if (given === null)
    throw new RangeError(`${name} expected options to be an object, got null; leave them out for the defaults.`);
  for (const [option, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, option)) {
      const known = Object.keys(defaults).join(', ') || 'none';
      throw new RangeError(`${name} has no option "${option}"; its options: ${known}.`);
    }
    if (value === null) {
      throw new RangeError(`${name} expected ${option} to have a value, got null; leave it out for its default.`);
    }
  }
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(present) };
}

async function measured(name: string, measure: () => Promise<Score>): Promise<Score> {
  try {
    return await measure();
  } catch (error) {
    if (!(error instanceof NoScore)) throw error;
    return { value: null, reason: `${name} has no score here: ${error.message}.` };
  }
}

/**
 * Checks image, map, mask and target.
 *
 * @throws ShapeError when the image is not C×H×W or the map or mask is not H×W
 * @throws RangeError when image or map holds NaN or infinity, the mask anything but 0 and 1, or the target is no index
 */
export function requireSubject(where: string, { image, map, mask, target, batchSize }: Subject): void {
  if (image.shape.length !== 3 || image.data.length === 0) {
    throw new ShapeError(where, 'an image of C×H×W', `[${image.shape.join(', ')}]`);
  }
  const [, height, width] = image.shape;
  for (const [what, plane] of [
    ['map', map],
    ['mask', mask],
  ] as const) {
    if (plane && plane.shape.join() !== `${height},${width}`) {
      throw new ShapeError(where, `a ${what} of ${height}×${width}, as the image`, `[${plane.shape.join(', ')}]`);
    }
  }
  requireFinite(where, 'image', image);
  requireFinite(where, 'map', map);
  if (mask) requireBinary(where, mask);
  if (!Number.isInteger(target) || target < 0) {
    throw new RangeError(`${where} expected a target that is a class index from 0, got ${target}.`);
  }
  if (batchSize !== undefined && !(Number.isInteger(batchSize) && batchSize >= 1)) {
    throw new RangeError(`${where} expected a batchSize that is a positive integer, got ${batchSize}.`);
  }
}

function requireBinary(where: string, { data }: Tensor): void {
  for (let index = 0; index < data.length; index++) {
    if (data[index] === 0 || data[index] === 1) continue;
    throw new RangeError(`${where} expected a mask of zeros and ones, got other numbers; threshold it first.`);
  }
}

function requireFinite(where: string, what: string, { data }: Tensor): void {
  // a number's difference from itself is 0, but for NaN and infinity; in four sums, of which none waits for another
  let [first, second, third, fourth] = [0, 0, 0, 0];
  const whole = data.length & ~3;
  for (let index = 0; index < whole; index += 4) {
    first += data[index] - data[index];
    second += data[index + 1] - data[index + 1];
    third += data[index + 2] - data[index + 2];
    fourth += data[index + 3] - data[index + 3];
  }
  for (let index = whole; index < data.length; index++) first += data[index] - data[index];
  if (first + second + third + fourth === 0) return;
  for (let index = 0; index < data.length; index++) {
    if (Number.isFinite(data[index])) continue;
    throw new RangeError(`${where} expected a ${what} of finite numbers, got ${data[index]} at index ${index}.`);
  }
}

function finite(name: string, score: Score): Score {
  if (score.value === null || Number.isFinite(score.value)) return score;
  return { value: null, reason: `${name} came out as ${score.value}: its formula has no value for this map.` };
}
