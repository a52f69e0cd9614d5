import type { Shape } from '@cambium/gpu-kernels';
import { type AnyMetric, type MetricName, metrics } from '@cambium/metrics';
import { messageOf, UsageError } from '../errors.ts';
import type { Options } from './records.ts';
import type { Suite } from './suite.ts';

/** A metric as a study runs it. */
export interface StudyMetric {
  readonly name: MetricName;
  /** All of them, defaults too. */
  readonly options: Options;
  /** Options that replace those of a method within this metric. */
  readonly explainWith: { readonly [method: string]: Options };
}

/**
 * The metrics of a suite for a network that takes images of a shape, each once.
 *
 * @throws UsageError naming the entry and the option at fault
 */
export function metricsOf(suite: Suite, input: Shape): StudyMetric[] {
  const chosen = suite.metrics.map((entry, index) => metricOf(entry, `metrics[${index}]`, input));
  const seen = new Set<string>();
  for (const [index, { name, options }] of chosen.entries()) {
    const key = JSON.stringify([name, Object.entries(options).sort()]);
    if (seen.has(key)) throw new UsageError(`metrics[${index}]: ${name} is there already with these options.`);
    seen.add(key);
  }
  return chosen;
}

function metricOf(entry: Suite['metrics'][number], place: string, input: Shape): StudyMetric {
  const name = entry.metric as MetricName; // the schema let only names of the registry through
  const metric: AnyMetric = metrics[name];
  const known = Object.keys(metric.defaults);
  const unknown = Object.keys(entry.options).find((option) => !known.includes(option));
  if (unknown !== undefined) {
    throw new UsageError(
      `${place}.options.${unknown}: ${name} has no such option; it has ${known.join(', ') || 'none'}.`,
    );
  }
  const options: Options = { ...metric.defaults, ...entry.options };
  try {
    metric.check(options, input);
  } catch (error) {
    const message = messageOf(error);
    const option = known.find((option) => message.includes(` expected ${option} `));
    const key = option === undefined ? `${place}.options` : `${place}.options.${option}`;
    throw new UsageError(`${key}: ${message.replace(/\.$/, '')}.`, { cause: error });
  }
  requireAlone(metric, options, place);
  const explainWith = Object.fromEntries(
    Object.entries(entry.explainWith ?? {}).map(([method, own]) => [method, own ?? {}]),
  );
  return { name, options, explainWith };
}

// a run works image by image, on one network
function requireAlone({ name, needs }: AnyMetric, { normaliseScope = 'image' }: Options, place: string): void {
  if (needs.includes('companions') || normaliseScope !== 'image') {
    const what = normaliseScope === 'image' ? name : `${name} with normaliseScope "${normaliseScope}"`;
    throw new UsageError(`${place}: ${what} looks at several images at once, and a run scores each by itself.`);
  }
  if (needs.includes('randomise')) {
    throw new UsageError(`${place}: ${name} needs networks with parameters drawn anew, which a run does not make.`);
  }
}
