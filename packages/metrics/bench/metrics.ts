import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AnyMetric, type MetricName, metrics } from '../src/index.ts';
import { benchSubject } from './subject.ts';

// What a metric costs beyond its forward passes and explanations: `predict` and `explain` are free. One image of
// 3×224×224; processor time, which a load on the machine disturbs less than the clock; the least of some rounds, since
// the first ones compile. The budget is what the metric's own work takes on a classifier of 1,000 images/s: 1 ms for each
// image classified and 2 ms for each explained (a forward pass and a gradient). Work that all maps of an image share
// counts in full. A metric that needs companions scores them all, as a study does, for each of three images; another that
// compares images has the forward passes of two companions with its own.

const LEAST_ROUNDS = 5;
const MOST_ROUNDS = 60;
const ENOUGH = 1500; // ms of measuring, after which no round is added
const SHAPE = [3, 224, 224];

/** Steps are made fewer where the defaults take thousands: the cost of a step is what is asked for. */
const shorter: { readonly [name in MetricName]?: Parameters<(typeof metrics)[name]['score']>[1] } = {
  'non-sensitivity': { featuresInStep: 224 },
  'pixel-flipping': { featuresInStep: 672 },
  'faithfulness-estimate': { featuresInStep: 672 },
  'sensitivity-n': { featuresInStep: 672 },
  'monotonicity-correlation': { featuresInStep: 6272, samples: 10 },
  infidelity: { patchSize: 16 },
  'max-sensitivity': { samples: 50 },
  'average-sensitivity': { samples: 50 },
  'local-lipschitz-estimate': { samples: 50 },
  'relative-input-stability': { samples: 50 },
};

console.log(
  `${cpus()[0].model.trim()}, ${cpus().length} logical cores; Node ${process.versions.node}; ${SHAPE.join('×')}; ${LEAST_ROUNDS} to ${MOST_ROUNDS} rounds\n`,
);
console.log('metric                          images  explanations   overhead ms   of budget   budget ms');
let over = 0;
const asked = process.argv.slice(2); // names of metrics; all unless given
for (const [name, metric] of Object.entries(metrics) as [MetricName, AnyMetric][]) {
  if (asked.length === 0 || asked.includes(name)) await report(name, metric);
}
console.log(over === 0 ? '\nevery metric is within its budget' : `\n${over} metrics are over their budgets`);
if (asked.length === 0) reportMemory();

async function report(name: MetricName, metric: AnyMetric): Promise<void> {
  const options = { ...metric.defaults, ...shorter[name] };
  const { explanations } = metric.cost(options, SHAPE); // of 54 layers, as the subject has
  const { time, images } = await leastTime(metric, options);
  const budget = images + 2 * explanations;
  if (budget > 0 && time > budget) over++;
  console.log(
    [
      name.padEnd(30),
      String(images).padStart(8),
      String(explanations).padStart(14),
      time.toFixed(1).padStart(14),
      (budget > 0 ? (time / budget).toFixed(2) : '–').padStart(12),
      (budget > 0 ? String(budget) : '–').padStart(12),
    ].join(''),
  );
}

interface Timing {
  /** Milliseconds. */
  readonly time: number;
  /** Images classified. */
  readonly images: number;
}

async function leastTime(metric: AnyMetric, options: object): Promise<Timing> {
  let least: Timing | undefined;
  for (let spent = 0, round = 0; round < MOST_ROUNDS && (round < LEAST_ROUNDS || spent < ENOUGH); round++) {
    const timing = await timingOf(metric, options);
    spent += timing.time;
    if (least === undefined || timing.time < least.time) least = timing;
  }
  return least!; // there was a round
}

async function timingOf(metric: AnyMetric, options: object): Promise<Timing> {
  let images = 0;
  const subject = benchSubject((count) => {
    images += count;
  }); // with a cache of its own: shared work is done again
  const scored = (metric.needs.includes('companions') && subject.companions) || [subject];
  globalThis.gc?.();
  await setTimeout(5); // the collector's threads finish what came before
  const start = process.cpuUsage();
  for (const each of scored) {
    const score = await metric.score({ ...each, companions: subject.companions }, options);
    if (score.value === null) throw new Error(`There is no score to time: ${score.reason}`);
  }
  const { user, system } = process.cpuUsage(start);
  return { time: (user + system) / 1000 / scored.length, images: images / scored.length };
}

/**
 * Largest resident memory of processes that take some steps and four times as many. Some are enough for the collector to
 * have found its rhythm: the garbage of a few batches waits for it.
 */
function reportMemory(): void {
  console.log('\npeak memory                       with                  MB     with four times as many    MB');
  for (const [name, option, some, more] of [
    ['selectivity', 'patchSize', 8, 4],
    ['non-sensitivity', 'featuresInStep', 336, 84],
    ['max-sensitivity', 'samples', 200, 800],
  ] as const) {
    const [before, after] = [some, more].map((value) => peak(name, option, value).toFixed(0));
    console.log(
      [
        name.padEnd(34),
        `${option} ${some}`.padEnd(20),
        before.padStart(4),
        `${option} ${more}`.padStart(22),
        after.padStart(6),
      ].join(''),
    );
  }
}

function peak(metric: MetricName, option: string, value: number): number {
  const script = fileURLToPath(new URL('./metrics-memory.ts', import.meta.url));
  const child = spawnSync(process.execPath, ['--conditions=source', script, metric, option, String(value)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error('The memory measurement failed.');
  return Number(child.stdout.trim());
}
