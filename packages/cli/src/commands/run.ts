import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../duration.ts';
import { InterruptedError } from '../errors.ts';
import { openFolder } from '../io/atomic-write.ts';
import { checkDistinct } from '../outputs.ts';
import { stateFindings } from '../report/analysis/state-findings.ts';
import { type Costs, sumCosts } from '../report/analysis/sum-costs.ts';
import { rankLines } from '../report/rank-lines.ts';
import { reportRuns } from '../report/report-runs.ts';
import { selfTest } from '../self-test.ts';
import { checkAgreement } from '../study/check-agreement.ts';
import { lockRun } from '../study/lock.ts';
import { openStudyClassifier, RANGES } from '../study/open-study-classifier.ts';
import { type PreparedRun, prepareRun } from '../study/prepare-run.ts';
import { reductionsOf } from '../study/reductions.ts';
import { files } from '../study/run-files.ts';
import { commandLine, type RunFlags } from '../study/run-flags.ts';
import { openRunFolder } from '../study/run-folder.ts';
import { runSession, type SessionEnd } from '../study/session.ts';
import { timeLoop } from '../study/time-loop.ts';
import { writeFigures } from '../study/write-figures.ts';
import type { Surroundings } from '../surroundings.ts';
import { timedClassifier } from '../timed-classifier.ts';
import { planCommand } from './plan.ts';

/**
 * Runs a suite, or what is left of it: cells that have a row in the folder are skipped.
 *
 * @returns the exit code: 0 done, 1 a cell failed, 3 its time was up
 * @throws UsageError, ModelError or NameError for what cannot be done as asked; InterruptedError after ^C;
 * StorageError when a file cannot be written
 */
export async function runCommand(source: string, flags: RunFlags, surroundings: Surroundings): Promise<number> {
  if (flags.dryRun) {
    await planCommand(source, flags, surroundings);
    return 0;
  }
  const { ui } = surroundings;
  const run = await prepareRun(source, flags, surroundings);
  checkDistinct(
    'images',
    run.study.images.map(({ name, file }) => ({ stem: name, source: file })),
  );
  await openFolder(run.folder);
  using _lock = lockRun(run.folder);
  if (flags.fresh) clear(run.folder);
  using folder = await openRunFolder(run.folder, run.all);
  await using opened = await openStudyClassifier(run.study, flags.device, run.folder);
  const timed = timedClassifier(opened.classifier);
  const { classifier } = timed;
  const talk = (line: string) => !flags.quiet && ui.note(line);
  for (const note of [...run.study.model.notes, opened.note ?? opened.noGpu]) if (note !== undefined) talk(note);
  for (const line of opening(run, folder.finished.size)) talk(line);
  if (folder.damaged > 0)
    talk(`${folder.damaged} damaged lines in ${files.results} are left out; their cells run again.`);
  const command = commandLine(source, flags);
  const request = { run, folder, timed, adapter: opened.adapter, surroundings, command };
  const own = run.study.precision === 'f32' ? await selfTest(run.study.model, classifier, surroundings.root) : null;
  const { tests, places } = await checkAgreement(run.study, classifier);
  const checks = [...(own ? [own] : []), ...tests];
  const left = run.wanted.some(({ key }) => !folder.finished.has(key));
  const loop = folder.record?.loop ?? (left ? await timeLoop(run.study, classifier, clock) : undefined);
  const { failFast = false, json = false, quiet = false } = flags;
  const end = await runSession({ ...request, checks, places, loop, failFast, json, quiet });
  if (json) ui.print(JSON.stringify({ event: 'end', outcome: end.outcome, left: end.left, failed: end.failed }));
  return await conclude(end, { run, command, surroundings, flags });
}

const clock = () => performance.now() / 1000;

interface Ending {
  readonly run: PreparedRun;
  readonly command: string;
  readonly surroundings: Surroundings;
  readonly flags: RunFlags;
}

async function conclude(end: SessionEnd, { run, command, surroundings: { ui }, flags }: Ending): Promise<number> {
  const { outcome, left, failed, record } = end;
  const say = flags.json ? ui.note : ui.print;
  const done = record.cells - left;
  const goOn = `Go on with: cambium ${command}`;
  if (outcome === 'interrupted') {
    throw new InterruptedError(`Stopped: ${done} of ${record.cells} cells are done and kept. ${goOn}`);
  }
  const words = [...(flags.report === false ? [] : await closing(end, run)), costLine(end)];
  if (!flags.quiet) for (const line of words) say(line);
  if (outcome === 'budget') ui.note(`The time is up: ${done} of ${record.cells} cells are done and kept. ${goOn}`);
  else if (!flags.quiet)
    say(`${done} of ${record.cells} cells${failed > 0 ? `, ${failed} failed` : ''} in ${run.folder}`);
  return codeOf(end);
}

/** Figures and report of what there is, in words. A shard has none: its report is that of all shards together. */
async function closing({ record }: SessionEnd, { study, shard, folder }: PreparedRun): Promise<string[]> {
  if (shard.count > 1) return [`This is one shard: when all are done, cambium report merges their folders.`];
  const figures = await writeFigures(study, record, folder);
  const report = await reportRuns([folder]);
  return [
    ...rankLines(report.study),
    ...stateFindings(report.study),
    ...loopLines(sumCosts(report.study)),
    '',
    ...(figures.length > 0 ? [`Figures: ${figures.map((name) => join(folder, name)).join(', ')}`] : []),
    `Report: ${report.path}`,
  ];
}

function loopLines({ loop }: Costs): string[] {
  if (loop === null) return [];
  const { images, timing } = loop;
  return [
    `Against a plain loop: ${(images.loop / images.run).toFixed(1)}× fewer images classified (counted), ${(timing.single / timing.batched).toFixed(1)}× less time for each (measured).`,
  ];
}

function codeOf({ outcome, failed }: SessionEnd): number {
  if (outcome === 'budget') return 3;
  return failed > 0 ? 1 : 0;
}

function opening({ study, wanted, shard }: PreparedRun, finished: number): string[] {
  const { suite, images, techniques, layers, metrics } = study;
  const part = shard.count > 1 ? ` · shard ${shard.index} of ${shard.count}` : '';
  const reductions = reductionsOf(study);
  return [
    `${suite.name} · ${images.length} images × ${techniques.length} methods × ${layers.length} layers × ${metrics.length} metrics${part} · ${wanted.length} cells, ${finished} done before`,
    ...(reductions.length > 0
      ? ['Less than the papers and Quantus take:', ...reductions.map((line) => `  ${line}`)]
      : []),
  ];
}

function costLine({ record: { spent } }: SessionEnd): string {
  const share = spent.seconds > 0 ? (100 * spent.classifier) / spent.seconds : 0;
  const speed = spent.classifier > 0 ? spent.forwards / spent.classifier : 0;
  return `${spent.forwards.toLocaleString('en')} images classified in ${formatDuration(spent.seconds)}, ${share.toFixed(1)} % of it in the network (${speed.toFixed(1)} a second)`;
}

function clear(folder: string): void {
  for (const name of [files.run, files.results, files.maps, files.partial, 'superseded.jsonl', RANGES]) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
