import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { numpyRandom } from '@cambium/gpu-kernels';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sumCosts } from '../src/report/analysis/sum-costs.ts';
import { mergeRuns } from '../src/report/merge-runs.ts';
import { readRun } from '../src/report/read-run.ts';
import { mapRowSchema } from '../src/study/records.ts';
import { readRows } from '../src/study/rows.ts';
import { files } from '../src/study/run-files.ts';
import { type Ended, runCambium, startCambium, temporaryFolder } from './support/run-cambium.ts';
import { forwardsOf, linesOf, recordOf, rowsOf, scoresOf } from './support/run-rows.ts';
import { tinySuite, writeTinyStudy } from './support/tiny-study.ts';

const folder = temporaryFolder();
const whole = join(folder, 'whole');
const CELLS = 3 * 4 * 2 * 5;
let suite: string;
let ended: Ended;

beforeAll(async () => {
  suite = await writeTinyStudy(folder);
  ended = await runCambium('run', suite, '-o', whole);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

test('a run writes a row for every cell and says what it left out', () => {
  expect(ended.code, ended.errors).toBe(0);
  expect(linesOf(whole)).toHaveLength(CELLS);
  expect(rowsOf(whole).filter(({ error }) => error)).toEqual([]);
  expect(ended.errors).toContain('Continuity: steps 5 instead of 28.');
  expect(ended.output).toMatch(/Against a plain loop: [\d.]+× fewer images classified \(counted\), [\d.]+× less time/);
  const { complete, cells, images, loop } = recordOf(whole);
  expect(loop).toMatchObject({ images: 8, batch: 4 });
  expect(Math.min(loop?.single ?? 0, loop?.batched ?? 0)).toBeGreaterThan(0);
  expect({ complete, cells, images: images.length }).toEqual({ complete: true, cells: CELLS, images: 3 });
  expect(existsSync(join(whole, files.partial))).toBe(false);
  for (const file of [files.report, 'figure-early.png', 'figure-late.png'])
    expect(existsSync(join(whole, file))).toBe(true);
});

test('rows tell the maps that metrics made, and those of the first image, which is alone, the memory that they took', () => {
  const { rows: maps } = readRows(join(whole, files.maps), mapRowSchema);
  const explained = (name: string) =>
    new Set(rowsOf(whole).flatMap(({ metric, explanations }) => (metric === name ? explanations : [])));
  expect(explained('continuity')).toEqual(new Set([5]));
  expect(explained('random-logit')).toEqual(new Set([1]));
  expect(explained('region-perturbation')).toEqual(new Set([0]));
  expect(maps).toHaveLength(3 * 4 * 2);
  if (process.platform !== 'linux') return;
  expect(maps.filter(({ memory }) => memory).map(({ image }) => image)).toEqual(Array(4 * 2).fill('a_1'));
  for (const { memory } of maps) {
    if (memory === undefined) continue;
    expect(memory.before).toBeGreaterThan(20e6);
    expect(memory.peak).toBeGreaterThanOrEqual(memory.before);
  }
});

test('killed at twenty random moments and run to its end, a run has the values of one that was not', async () => {
  const out = join(folder, 'killed');
  const random = numpyRandom(20);
  let kills = 0;
  while (kills < 20) {
    const { child, ended } = startCambium('run', '--no-report', suite, '-o', out, '--json');
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    await setTimeout(random.uniformBetween(0, 250));
    if (child.exitCode === null && child.kill('SIGKILL')) kills++;
    await ended;
    if (existsSync(join(out, files.results)) && linesOf(out).length === CELLS) rmSync(out, { recursive: true });
  }
  const last = await runCambium('run', '--no-report', suite, '-o', out);
  expect(last.code, last.errors).toBe(0);
  expect(linesOf(out)).toHaveLength(CELLS);
  expect(scoresOf(out)).toEqual(scoresOf(whole));
  for (const map of ['early/grad-cam/a_1.npy', 'late/score-cam.faster/noise.coarse.npy']) {
    expect(readFileSync(join(out, 'maps', map))).toEqual(readFileSync(join(whole, 'maps', map)));
  }
  // killed sessions wrote no bill at their end; the rows know
  expect(sumCosts(mergeRuns([await readRun(out)])).forwards).toBeGreaterThanOrEqual(forwardsOf(out));
}, 240_000);

test('a run that begins afresh keeps nothing of the one before it', async () => {
  const out = join(folder, 'afresh');
  const only = ['--no-report', '--only', 'grad-cam@late:complexity', suite, '-o', out];
  await runCambium('run', ...only);
  const before = recordOf(out);
  await runCambium('run', '--fresh', ...only);
  const { started, spent } = recordOf(out);
  expect(spent.forwards).toBe(before.spent.forwards);
  expect(Date.parse(started)).toBeGreaterThan(Date.parse(before.started));
});

test('a finished run that is started again computes nothing, and its bill stays', async () => {
  const { spent, ended: since } = recordOf(whole);
  const before = readFileSync(join(whole, files.results), 'utf8');
  const again = await runCambium('run', '--no-report', suite, '-o', whole, '--json');
  expect(again.code).toBe(0);
  expect(JSON.parse(again.output.split('\n')[0])).toMatchObject({ event: 'start', finished: CELLS, forwards: 0 });
  expect(readFileSync(join(whole, files.results), 'utf8')).toBe(before);
  expect(recordOf(whole)).toMatchObject({ spent, ended: since });
});

test('pictures that a kill left out are drawn from the raw map, and nothing is computed again', async () => {
  const place = { layer: 'late', technique: 'score-cam.faster', image: 'b_1' };
  const lost = [files.map(place), files.overlay(place)].map((name) => join(whole, name));
  const before = lost.map((path) => readFileSync(path));
  for (const path of lost) rmSync(path);
  const again = await runCambium('run', '--no-report', suite, '-o', whole, '--json');
  expect(again.code, again.errors).toBe(0);
  expect(again.output).not.toMatch(/"event":"(cell|map)"/);
  expect(lost.map((path) => readFileSync(path))).toEqual(before);
  expect(existsSync(join(whole, files.partial))).toBe(false);
});

test('a torn last line is cut off and its cell computed again', async () => {
  const path = join(whole, files.results);
  const text = readFileSync(path, 'utf8');
  const expected = scoresOf(whole);
  writeFileSync(path, text.slice(0, -40));
  const again = await runCambium('run', '--no-report', suite, '-o', whole);
  expect(again.code, again.errors).toBe(0);
  expect(linesOf(whole)).toHaveLength(CELLS);
  expect(scoresOf(whole)).toEqual(expected);
});

test('a damaged line in the middle is told, and its cell computed again', async () => {
  const path = join(whole, files.results);
  const expected = scoresOf(whole);
  const lines = linesOf(whole);
  writeFileSync(path, `${[...lines.slice(0, 5), lines[5].slice(9), ...lines.slice(6)].join('\n')}\n`);
  const again = await runCambium('run', '--no-report', suite, '-o', whole);
  expect(again.errors).toContain('1 damaged');
  expect(scoresOf(whole)).toEqual(expected);
});

test('a changed parameter computes the cells that it touches and no others, and changing it back computes none', async () => {
  const expected = scoresOf(whole);
  const { started, spent } = recordOf(whole);
  const changed = structuredClone(tinySuite());
  changed.metrics[0] = { metric: 'region-perturbation', options: { patchSize: 4, regions: 6 } };
  const other = join(folder, 'changed.json');
  writeFileSync(other, JSON.stringify(changed));
  const there = await runCambium('run', '--no-report', other, '-o', whole, '--json');
  const cells = there.output.split('\n').filter((line) => line.startsWith('{"event":"cell"'));
  expect(cells).toHaveLength(3 * 4 * 2);
  expect(cells.every((line) => JSON.parse(line).metric === 'region-perturbation')).toBe(true);
  // what the cells that stay have cost is still on the bill
  expect(recordOf(whole).started).toBe(started);
  expect(recordOf(whole).spent.forwards).toBeGreaterThan(spent.forwards);
  const back = await runCambium('run', '--no-report', suite, '-o', whole, '--json');
  expect(back.output).not.toContain('{"event":"cell"');
  expect(scoresOf(whole)).toEqual(expected);
});

test('a stopped run says how to go on, ends with 130 and goes on to the same values', async () => {
  const out = join(folder, 'stopped');
  const { child, ended } = startCambium('run', '--no-report', suite, '-o', out, '--json');
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  await setTimeout(150);
  child.kill('SIGINT');
  const stopped = await ended;
  expect(stopped.code).toBe(130);
  expect(stopped.errors).toMatch(/of 120 cells are done and kept\. Go on with: cambium run /);
  expect(recordOf(out).complete).toBe(false);
  expect((await runCambium('run', '--no-report', suite, '-o', out)).code).toBe(0);
  expect(scoresOf(out)).toEqual(scoresOf(whole));
});

test('asked twice to stop, a run does not wait for the network', async () => {
  const out = join(folder, 'twice');
  const { child, ended } = startCambium('run', '--no-report', 'smoke', '-o', out, '--json', '--limit', '1');
  await new Promise((resolve) => child.stdout?.on('data', (text) => text.includes('"event":"map"') && resolve(text)));
  child.kill('SIGINT');
  await setTimeout(50); // a batch takes longer
  child.kill('SIGINT');
  const { errors } = await ended;
  expect([child.signalCode, errors.includes('terminate')], errors).toEqual(['SIGINT', false]);
  expect(recordOf(out).complete).toBe(false);
});

test('a run whose output nobody reads any more stops and keeps what it has', async () => {
  const out = join(folder, 'unread');
  const { child, ended } = startCambium('run', '--no-report', suite, '-o', out, '--json');
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  child.stdout?.destroy();
  const stopped = await ended;
  expect([stopped.code, stopped.errors.includes('are done and kept. Go on with: cambium run')]).toEqual([130, true]);
});

test('a budget stops a run with 3, and it goes on', async () => {
  const out = join(folder, 'budget');
  const stopped = await runCambium('run', '--no-report', suite, '-o', out, '--budget', '0.2s');
  expect(stopped.code).toBe(3);
  expect(stopped.errors).toContain('The time is up');
  expect((await runCambium('run', '--no-report', suite, '-o', out)).code).toBe(0);
  expect(scoresOf(out)).toEqual(scoresOf(whole));
});

test('a second process on the same folder refuses, and a lock left by a kill is taken over', async () => {
  const out = join(folder, 'locked');
  const first = startCambium('run', '--no-report', suite, '-o', out, '--json');
  await new Promise((resolve) => first.child.stdout?.once('data', resolve));
  first.child.kill('SIGSTOP'); // it holds its lock
  const second = await runCambium('run', '--no-report', suite, '-o', out);
  expect(second.code).toBe(1);
  expect(second.errors).toContain(`is being written by process ${first.child.pid}`);
  first.child.kill('SIGKILL');
  await first.ended;
  expect(existsSync(join(out, files.lock))).toBe(true);
  expect((await runCambium('run', '--no-report', suite, '-o', out)).code).toBe(0);
  expect(existsSync(join(out, files.lock))).toBe(false);
});

test('three shards have the cells of the whole, each once, with its values', async () => {
  const parts = [1, 2, 3].map((index) => join(folder, `shard-${index}`));
  for (const [index, out] of parts.entries()) {
    expect((await runCambium('run', '--no-report', suite, '-o', out, '--shard', `${index + 1}/3`)).code).toBe(0);
  }
  const merged = parts.flatMap((out) => [...scoresOf(out)]);
  expect(merged).toHaveLength(CELLS);
  expect(new Map(merged)).toEqual(scoresOf(whole));
  expect(new Set(parts.map((out) => recordOf(out).suiteKey))).toEqual(new Set([recordOf(whole).suiteKey]));
  const forwards = parts.map(forwardsOf);
  expect(Math.max(...forwards)).toBeLessThan(0.5 * forwardsOf(whole));
}, 120_000);

test('a plan writes nothing and counts the forward passes that the run really uses', async () => {
  const out = join(folder, 'plan');
  const plan = await runCambium('plan', suite, '-o', out, '--json');
  expect(plan.code, plan.errors).toBe(0);
  expect(existsSync(out)).toBe(false);
  const { forwards, cells, networks, memory } = JSON.parse(plan.output);
  expect(cells).toBe(CELLS);
  // logits and layers; at two layers the masks and two walks; variants of two metrics
  expect(networks).toBe(2 + 2 * (1 + 2) + 2);
  expect(memory).toBeGreaterThan(50e6);
  const fresh = await runCambium('run', '--no-report', suite, '-o', join(folder, 'fresh'));
  expect(fresh.code).toBe(0);
  expect(forwardsOf(join(folder, 'fresh'))).toBe(forwards);
  expect(recordOf(join(folder, 'fresh')).spent.forwards).toBe(forwards);
});

test('scores do not depend on how many images are classified together', async () => {
  const out = join(folder, 'batch');
  expect((await runCambium('run', '--no-report', suite, '-o', out, '--batch', '32')).code).toBe(0);
  const others = new Map(rowsOf(out).map((row) => [row.key, row.value]));
  for (const { key, value, metric, technique } of rowsOf(whole)) {
    const other = others.get(key) ?? Number.NaN;
    // sums of another batch differ in their last bits; a pixel at the threshold of Non-sensitivity may change sides
    const margin = metric === 'non-sensitivity' ? 3 : 1e-4 * Math.abs(value ?? 0) + 1e-6;
    expect(Math.abs((value ?? Number.NaN) - other), `${metric} of ${technique}`).toBeLessThanOrEqual(margin);
  }
});

test('one metric in three forms makes three criteria, of which a random order does not rank', async () => {
  const own = temporaryFolder();
  const orders = ['morf', 'lerf', 'random'].map((order) => ({
    metric: 'region-perturbation' as const,
    options: { patchSize: 4, regions: 6, order },
  }));
  const path = await writeTinyStudy(own, { ...tinySuite(), methods: ['grad-cam', 'random-cam'], metrics: orders });
  const out = join(own, 'out');
  expect((await runCambium('run', path, '-o', out)).code).toBe(0);
  expect(linesOf(out)).toHaveLength(3 * 2 * 2 * 3);
  const { criteria } = mergeRuns([await readRun(out)]);
  expect(criteria.map(({ title, better }) => [title, better])).toEqual([
    ['Region perturbation (order morf)', 'higher'],
    ['Region perturbation (order lerf)', 'lower'],
    ['Region perturbation (order random)', null],
  ]);
  rmSync(own, { recursive: true });
});

test('only the cells that a glob names are run', async () => {
  const out = join(folder, 'only');
  const some = await runCambium('run', '--no-report', suite, '-o', out, '--only', '*cam@late:complexity');
  expect(some.code).toBe(0);
  expect(rowsOf(out).map(({ layer, metric, method }) => `${method}@${layer}:${metric}`)).toEqual(
    [1, 2, 3].flatMap(() =>
      ['grad-cam', 'score-cam', 'relevance-cam', 'random-cam'].map((m) => `${m}@late:complexity`),
    ),
  );
  const none = await runCambium('run', '--no-report', suite, '-o', out, '--only', 'grad-cam@layer9');
  expect(none.code).toBe(2);
  expect(none.errors).toContain('named like grad-cam@early:region-perturbation');
});

test('an image that cannot be read fails its own cells and ends the run with 1', async () => {
  const broken = temporaryFolder();
  const own = await writeTinyStudy(broken);
  writeFileSync(join(broken, 'images', 'b_1.png'), 'no image');
  const out = join(broken, 'out');
  const run = await runCambium('run', '--no-report', own, '-o', out);
  expect(run.code).toBe(1);
  const failed = rowsOf(out).filter(({ error }) => error !== undefined);
  expect(failed).toHaveLength(CELLS / 3);
  expect(failed.every(({ image }) => image === 'b_1')).toBe(true);
  const first = await runCambium('run', '--no-report', '--fail-fast', own, '-o', join(broken, 'first'));
  expect([first.code, rowsOf(join(broken, 'first')).every(({ image }) => image === 'a_1')]).toEqual([1, true]);
  expect(first.errors).toMatch(/^✖ .*b_1\.png is not an image/m);
  rmSync(broken, { recursive: true });
});
