import { join } from 'node:path';
import { type AnyMetric, metrics } from '@cambium/metrics';
import { formatBytes } from '../bytes.ts';
import { formatDuration } from '../duration.ts';
import { classCount } from '../prepared-model.ts';
import { table } from '../render/table.ts';
import { type Calibration, calibrate } from '../study/calibrate.ts';
import type { Cell } from '../study/cells.ts';
import { NOTHING, sum, type Work } from '../study/estimate.ts';
import { openStudyClassifier } from '../study/open-study-classifier.ts';
import { type PreparedRun, prepareRun } from '../study/prepare-run.ts';
import { resultRowSchema } from '../study/records.ts';
import { reductionsOf } from '../study/reductions.ts';
import { readRows } from '../study/rows.ts';
import { files } from '../study/run-files.ts';
import { commandLine, type RunFlags } from '../study/run-flags.ts';
import { groupBy } from '../study/shards.ts';
import type { Surroundings } from '../surroundings.ts';

/**
 * Tells what a run would cost, without writing anything: maps, cells, forward passes with what is shared counted once,
 * seconds on this machine by a calibration of a few batches, memory and disk.
 *
 * @throws UsageError, ModelError or NameError for what cannot be done as asked
 */
export async function planCommand(source: string, flags: RunFlags, surroundings: Surroundings): Promise<void> {
  const { ui } = surroundings;
  const run = await prepareRun(source, flags, surroundings);
  const plan = await workOf(run);
  await using opened = await openStudyClassifier(run.study, flags.device);
  const { classifier } = opened;
  const why = opened.note ?? opened.noGpu;
  if (why !== undefined) ui.note(why);
  const measured = await calibrate(classifier, run.study, () => performance.now() / 1000);
  if (flags.json) return ui.print(JSON.stringify(asJson(run, plan, measured)));
  const { model, images, suite } = run.study;
  ui.print(
    `${suite.name} · ${model.file.name} (sha256 ${model.file.sha256.slice(0, 8)}…) · ${images.length} images · ${classifier.device}`,
  );
  for (const line of mapTable(plan, measured)) ui.print(`  ${line}`);
  ui.print('');
  for (const line of metricTable(run, plan, measured)) ui.print(`  ${line}`);
  ui.print('');
  for (const line of closing(run, plan, measured)) ui.print(line);
  ui.print(startWith(source, flags, measured.secondsOf(plan.total)));
}

/** Work by what it is for. */
interface Plan {
  /** By technique and layer. */
  readonly maps: ReadonlyMap<string, Line>;
  /** By metric. */
  readonly metrics: ReadonlyMap<string, Line>;
  /** By metric, technique and layer. */
  readonly cells: ReadonlyMap<string, Line>;
  readonly total: Work;
  readonly done: number;
  /** Forms of the network to compile. */
  readonly networks: number;
}

interface Line {
  readonly names: readonly string[];
  readonly count: number;
  readonly work: Work;
}

async function workOf({ wanted, estimator, folder }: PreparedRun): Promise<Plan> {
  const rows = readRows(join(folder, files.results), resultRowSchema).rows;
  const finished = new Set(rows.filter(({ error }) => error === undefined).map(({ key }) => key));
  const [maps, byMetric, cells] = [openLines(), openLines(), openLines()];
  const left: Cell[] = [];
  let total = NOTHING;
  for (const own of groupBy(wanted, ({ image }) => image.name).values()) {
    const pending = own.filter(({ key }) => !finished.has(key));
    if (pending.length === 0) continue;
    left.push(...pending);
    const estimate = await estimator.ofImage(pending);
    for (const { layer, technique, work } of estimate.maps) {
      maps.add([technique.title, layer.name], work);
      total = sum(total, work);
    }
    for (const cell of pending) {
      const work = estimate.cells.get(cell.key) ?? NOTHING;
      byMetric.add([cell.metric.name], work);
      cells.add([cell.metric.name, cell.technique.title, cell.layer.name], work);
      total = sum(total, work);
    }
  }
  const done = wanted.filter(({ key }) => finished.has(key)).length;
  const networks = await estimator.networks(left);
  return { maps: maps.lines, metrics: byMetric.lines, cells: cells.lines, total, done, networks };
}

function openLines() {
  const lines = new Map<string, Line>();
  return {
    lines,
    add(names: readonly string[], work: Work): void {
      const line = lines.get(names.join(' ')) ?? { names, count: 0, work: NOTHING };
      lines.set(names.join(' '), { names, count: line.count + 1, work: sum(line.work, work) });
    },
  };
}

function mapTable({ maps }: Plan, { secondsOf }: Calibration): string[] {
  const rows = [...maps.values()].map(({ names, count, work }) => [
    ...names,
    String(count),
    work.forwards.toLocaleString('en'),
    formatDuration(secondsOf(work)),
  ]);
  return table(['method', 'layer', 'maps', 'forwards', 'est.'], rows);
}

function metricTable({ study }: PreparedRun, plan: Plan, { secondsOf }: Calibration): string[] {
  const rows = [...plan.metrics.values()].map(({ names: [name], count, work }) => {
    const metric: AnyMetric = metrics[name as keyof typeof metrics]; // the suite's names are the registry's
    const options = study.metrics.find((own) => own.name === name)?.options ?? {};
    const { explanations } = metric.cost(options, study.model.graph.input.shape);
    return [
      metric.title,
      String(count),
      work.forwards.toLocaleString('en'),
      formatDuration(secondsOf(work)),
      explanations > 0 ? `yes (×${explanations})` : 'no',
    ];
  });
  return table(['metric', 'cells', 'forwards', 'est.', 're-explains'], rows);
}

function closing(run: PreparedRun, plan: Plan, measured: Calibration): string[] {
  const { study, wanted } = run;
  const seconds = measured.secondsOf(plan.total);
  const advice = adviceOf(plan, measured);
  const less = reductionsOf(study);
  return [
    `total ${wanted.length} cells · ${plan.done} done · ${plan.total.forwards.toLocaleString('en')} forwards · ${formatDuration(seconds)} at ${measured.speed.toFixed(1)} images a second · memory ${memoryInWords(plan, measured)} · disk up to ${formatBytes(diskOf(run, plan))}`,
    ...(less.length > 0 ? ['Less than the papers and Quantus take:', ...less.map((line) => `  ${line}`)] : []),
    ...advice,
  ];
}

/** Every form of the network holds the weights; those not compiled yet are taken to be as large as the last. */
function memoryOf({ networks }: Plan, { memory, growth }: Calibration): number {
  return memory + Math.max(0, networks - COMPILED) * growth;
}

function memoryInWords(plan: Plan, measured: Calibration): string {
  const words = `${formatBytes(measured.memory)} with ${COMPILED} forms of the network compiled`;
  if (plan.networks <= COMPILED) return words;
  return `up to about ${formatBytes(memoryOf(plan, measured))} with all ${plan.networks} forms of the network compiled`;
}

/** Forms that the calibration compiles. */
const COMPILED = 2;

function startWith(source: string, flags: RunFlags, seconds: number): string {
  return `Nothing was run or written. Start with: cambium ${commandLine(source, flags)}${seconds > 7200 ? ' --budget 2h' : ''}`;
}

/** What costs most, and how to make it cost less. */
function adviceOf({ cells, total }: Plan, { secondsOf }: Calibration): string[] {
  if (secondsOf(total) < 600) return [];
  const ranked = [...cells.values()].sort((a, b) => secondsOf(b.work) - secondsOf(a.work)).slice(0, 3);
  return [
    'Most expensive:',
    ...ranked.map(({ names: [metric, technique, layer], work }) => {
      const share = (100 * secondsOf(work)) / secondsOf(total);
      return `  ${metric} of ${technique} at ${layer}: ${work.forwards.toLocaleString('en')} forwards, ${share.toFixed(0)} % of the time`;
    }),
    'To spend less: fewer images (--limit 2), a part of the cells (--only), several machines (--shard 1/4), a GPU (--device gpu), or smaller parameters in a suite file, such as "explainWith": { "score-cam": { "variant": "faster", "channels": 16 } }.',
  ];
}

/** Bytes: maps and overlays, and the journals of the images that are worked on, two at most. */
function diskOf({ study, wanted }: PreparedRun, { maps, total }: Plan): number {
  const [, height, width] = study.model.graph.input.shape;
  const made = [...maps.values()].reduce((count, line) => count + line.count, 0);
  const images = new Set(wanted.map(({ image }) => image.name)).size || 1;
  const journal = (total.forwards / images) * (28 + 4 * classCount(study.model.graph));
  return made * (4 * height * width + OVERLAY) + Math.min(2, images) * journal;
}

function asJson(run: PreparedRun, plan: Plan, measured: Calibration) {
  const lines = (all: ReadonlyMap<string, Line>) =>
    [...all.values()].map(({ names, count, work }) => ({ names, count, ...work, seconds: measured.secondsOf(work) }));
  return {
    cells: run.wanted.length,
    done: plan.done,
    forwards: plan.total.forwards,
    walks: plan.total.walks,
    seconds: measured.secondsOf(plan.total),
    imagesPerSecond: measured.speed,
    memory: memoryOf(plan, measured),
    networks: plan.networks,
    disk: diskOf(run, plan),
    maps: lines(plan.maps),
    metrics: lines(plan.metrics),
    reductions: reductionsOf(run.study),
  };
}

/** Bytes of a typical overlay. */
const OVERLAY = 20_000;
