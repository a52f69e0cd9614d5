import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { decodeNpy, encodeNpy } from '../src/io/npy.ts';
import { curveOf } from '../src/report/analysis/average-curves.ts';
import { compareMaps } from '../src/report/analysis/compare-maps.ts';
import { comparePlaces } from '../src/report/analysis/compare-places.ts';
import { compareRuns } from '../src/report/analysis/compare-runs.ts';
import { rankEntrants } from '../src/report/analysis/rank-entrants.ts';
import { headline, weakness } from '../src/report/analysis/state-findings.ts';
import { sumCosts } from '../src/report/analysis/sum-costs.ts';
import { toCsv, toMarkdown } from '../src/report/data-table.ts';
import { mergeRuns } from '../src/report/merge-runs.ts';
import { formatP, formatScore, formatSeconds } from '../src/report/numbers.ts';
import { readRun } from '../src/report/read-run.ts';
import { entrantsAt, type Study } from '../src/report/study.ts';
import type { ResultRow } from '../src/study/records.ts';
import { runCambium, temporaryFolder } from './support/run-cambium.ts';
import { type SyntheticRun, writeSyntheticRun } from './support/synthetic-run.ts';

const SMALL = {
  images: ['bubbly', 'knitted'],
  methods: ['grad-cam', 'grad-cam++', 'random-cam'],
  layers: ['layer4'],
} as const;

async function runOf(wishes: SyntheticRun): Promise<string> {
  const folder = temporaryFolder();
  await writeSyntheticRun(folder, { ...SMALL, ...wishes });
  return folder;
}

async function studyOf(wishes: SyntheticRun): Promise<Study> {
  return mergeRuns([await readRun(await runOf(wishes))]);
}

const scored = (value: number | null) => (row: ResultRow) => ({ ...row, value });

test('ranks follow the direction of each criterion, ties share, a technique without a score has none', async () => {
  const values: { [technique: string]: number | null } = { 'grad-cam': 2, 'grad-cam++': 2, 'random-cam': 1 };
  const study = await studyOf({ change: (row) => scored(values[row.technique])(row) });
  const ranked = rankEntrants(study, entrantsAt(study, study.layers[0]));
  const ranksOf = (metric: string) =>
    ranked.map(({ standings }) => standings.find(({ criterion }) => criterion.metric === metric)?.rank);
  expect(ranksOf('region-perturbation')).toEqual([1.5, 1.5, 3]); // higher is better
  expect(ranksOf('continuity')).toEqual([2.5, 2.5, 1]); // lower is better
  expect(ranked.map(({ meanRank }) => meanRank)).toEqual([2.3, 2.3, 1.4]); // (1.5 + 4 · 2.5)/5 and (3 + 4 · 1)/5
  expect(ranked.map(({ place }) => place)).toEqual([2.5, 2.5, 1]);
});

test('a technique that has no score takes no place and pushes nobody back', async () => {
  const study = await studyOf({ change: (row) => (row.technique === 'grad-cam' ? scored(null)(row) : row) });
  const [none, ...others] = rankEntrants(study, entrantsAt(study, study.layers[0]));
  expect(none.meanRank).toBeNull();
  for (const index of none.standings.keys()) {
    expect(others.map(({ standings }) => standings[index].rank ?? 0).sort()).toEqual([1, 2]);
  }
});

test('a mean over less than half of the images has no place, and its criterion does not count', async () => {
  const few = (row: ResultRow) =>
    row.technique === 'grad-cam' && row.metric === 'continuity' && row.image !== 'bubbly' ? scored(null)(row) : row;
  const study = await studyOf({ images: ['bubbly', 'knitted', 'lined'], change: few });
  const ranked = rankEntrants(study, entrantsAt(study, study.layers[0]));
  const continuity = ranked.map(({ standings }) =>
    standings.find(({ criterion }) => criterion.metric === 'continuity'),
  );
  expect(continuity.map((standing) => standing?.count)).toEqual([1, 3, 3]);
  expect(continuity[0]?.rank).toBeNull();
  expect(continuity[0]?.mean).not.toBeNull();
  expect(continuity.slice(1).map((standing) => standing?.rank ?? 0)).toEqual(expect.arrayContaining([1, 2]));
  expect(ranked[1].over.map(({ metric }) => metric)).not.toContain('continuity');
  const counted = ranked[1].standings.filter(({ criterion }) => criterion.metric !== 'continuity');
  const sum = counted.reduce((total, { rank }) => total + (rank ?? Number.NaN), 0);
  expect(ranked[1].meanRank).toBeCloseTo(sum / counted.length, 12);
  expect(headline(study)).toMatch(/^Best over 5 criteria: .* at layer4 \(mean rank [\d.]+ over 4 of them\)/);
});

test('with the least relevant regions first the direction turns round, and a random order does not rank', async () => {
  const folder = await runOf({});
  const part = await readRun(folder);
  const [first] = part.run.metrics;
  const metrics = ['morf', 'lerf', 'random'].map((order) => ({ ...first, options: { ...first.options, order } }));
  const study = mergeRuns([{ ...part, run: { ...part.run, metrics } }]);
  expect(study.criteria.map(({ better }) => better)).toEqual(['higher', 'lower', null]);
  expect(study.criteria[1].title).toBe('Region perturbation (order lerf)');
  const row = study.row(study.criteria[0], entrantsAt(study, study.layers[0])[0], 'bubbly');
  expect(row?.options.order).toBe('morf');
});

test('a curve of drops becomes the score of the class, from the unchanged image on', () => {
  const row = { detail: { curve: [0.1, 0.4], original: 0.9 } };
  const curve = curveOf({ ...ROW, ...row });
  expect([...(curve ?? [])].map(([step, value]) => [step, Number(value.toFixed(6))])).toEqual([
    [0, 0.9],
    [1, 0.8],
    [2, 0.5],
  ]);
  expect(curveOf({ ...ROW, detail: { curve: [0.1, 0.4] } })).toEqual(
    new Map([
      [0, 0.1],
      [1, 0.4],
    ]),
  );
  expect(curveOf(ROW)).toBeNull();
});

test('three shards make the whole, in any order, and a missing one is named', async () => {
  const whole = await studyOf({});
  const shards = [2, 3, 1].map((index) => runOf({ shard: { index, count: 3 } }));
  const parts = await Promise.all((await Promise.all(shards)).map(readRun));
  const merged = mergeRuns(parts);
  expect(merged.rows.length).toBe(whole.rows.length);
  expect(merged.expected).toBe(whole.expected);
  expect(merged.absent).toEqual([]);
  for (const criterion of whole.criteria) {
    for (const entrant of entrantsAt(whole, whole.layers[0])) {
      expect(merged.scores(criterion, entrant)).toEqual(whole.scores(criterion, entrant));
    }
  }
  expect(mergeRuns(parts.slice(0, 2)).absent).toEqual(['shard 1 of 3']);
});

test('shards that have begun different images give them all, in the order of the suite', async () => {
  const { images, suite } = await readRun(await runOf({ images: ['bubbly', 'knitted', 'lined'] })).then(
    ({ run }) => run,
  );
  const listed = { ...suite, images: images.map(({ file }) => ({ file })) };
  const part = await readRun(await runOf({}));
  const parts = [[images[2]], [images[1], images[2]], [images[0]]].map((own) => ({
    ...part,
    run: { ...part.run, suite: listed, images: own },
  }));
  expect(mergeRuns(parts).images.map(({ name }) => name)).toEqual(['bubbly', 'knitted', 'lined']);
});

test('the same shard twice counts once, and a score wins over a failure', async () => {
  const failed = await runOf({ change: (row, index) => (index === 0 ? { ...row, value: null, error: 'gone' } : row) });
  const parts = [await readRun(failed), await readRun(await runOf({}))];
  const study = mergeRuns(parts);
  expect(study.expected).toBe(30);
  expect(study.rows.length).toBe(30);
  expect(study.rows.filter(({ error }) => error !== undefined)).toEqual([]);
});

test('runs of different suites are refused, and the difference is said', async () => {
  const [one, other] = await Promise.all([runOf({}), runOf({ suiteKey: 'f'.repeat(64), layers: ['layer2'] })]);
  const { code, errors } = await runCambium('report', one, other, '-o', temporaryFolder());
  expect(code).toBe(2);
  expect(errors).toContain('are not of one suite: their layers differ');
});

test('a folder that is no run, and one of another version, are told apart', async () => {
  await expect(readRun(temporaryFolder())).rejects.toThrow('it has no run.json. Name a folder that cambium run wrote.');
  const folder = await runOf({});
  const file = join(folder, 'run.json');
  const text = readFileSync(file, 'utf8').replace('"format": 1', '"format": 99');
  appendFileSync(join(folder, 'results.jsonl'), '{"key": "torn');
  expect((await readRun(folder)).rows.length).toBe(30); // a torn last line does not count
  writeFileSync(file, text);
  await expect(readRun(folder)).rejects.toThrow('run.json is not as this version writes it at format');
});

test('the command reports on shards together, into a folder that is a run again', async () => {
  const shards = await Promise.all([1, 2].map((index) => runOf({ shard: { index, count: 2 } })));
  const out = join(temporaryFolder(), 'merged');
  const { code, output } = await runCambium('report', ...shards, '-o', out);
  expect(code).toBe(0);
  expect(output).toContain('Ranks at layer4');
  expect(output).toContain('Report: ');
  const merged = await readRun(out);
  expect(merged.rows.length).toBe(30);
  expect(merged.run.complete).toBe(true);
  expect(existsSync(join(out, 'maps', 'layer4', 'grad-cam', 'bubbly.npy'))).toBe(true);
  const compared = await runCambium('compare', out, await runOf({}), '--fail-on', 'worse');
  expect(compared.code).toBe(0);
  expect(compared.output).toContain('0 better, 0 worse, 15 the same, 0 lost.');
});

test('a comparison finds what is worse, better and lost, each in its own direction', async () => {
  const before = await studyOf({});
  const after = await studyOf({
    shift: { technique: 'grad-cam', by: 0.2 },
    change: (row) => (row.technique === 'random-cam' && row.metric === 'complexity' ? scored(null)(row) : row),
  });
  const { rows } = compareRuns(before, after);
  const verdicts = (technique: string) =>
    rows.filter(({ entrant }) => entrant.technique.id === technique).map(({ verdict }) => verdict);
  expect(verdicts('grad-cam')).toEqual(['better', 'worse', 'worse', 'worse', 'worse']); // larger is better only first
  expect(verdicts('grad-cam++')).toEqual(['same', 'same', 'same', 'same', 'same']);
  expect(verdicts('random-cam')).toEqual(['same', 'same', 'lost', 'same', 'same']);
});

test('a comparison tells which techniques change places, and how far maps are apart', async () => {
  const before = await studyOf({});
  const shifted = await runOf({ shift: { technique: 'grad-cam', by: 1000 } });
  const after = mergeRuns([await readRun(shifted)]);
  const places = comparePlaces(before, after);
  expect(places.map(({ layer }) => layer.name)).toEqual(Array(5).fill('layer4'));
  // far above all others: first where higher is better, last in the four others
  const now = places.map((own) => own.places.find(({ entrant }) => entrant.technique.id === 'grad-cam')?.after);
  expect(now).toEqual([1, 3, 3, 3, 3]);
  for (const { places: own, moved } of places) {
    expect(moved).toBe(own.filter(({ before, after }) => before !== after).length);
  }
  expect(comparePlaces(before, before).every(({ moved }) => moved === 0)).toBe(true);
  expect(await compareMaps(before, before)).toMatchObject(
    Array(3).fill({ images: 2, largest: 0, spearman: expect.closeTo(1, 12) }),
  );

  const file = join(shifted, 'maps', 'layer4', 'grad-cam', 'bubbly.npy');
  const map = decodeNpy(readFileSync(file));
  const pixel = map.data.findIndex((value) => value < 0.5);
  const moved = map.data.map((value, index) => (index === pixel ? value + 0.25 : value));
  writeFileSync(file, encodeNpy(tensor(moved, map.shape)));
  rmSync(join(shifted, 'maps', 'layer4', 'grad-cam++', 'bubbly.npy'));
  const [first, second, third] = await compareMaps(before, after);
  expect(first).toMatchObject({ images: 2, at: 'bubbly' });
  expect(first.largest).toBeCloseTo(0.25, 6);
  expect(first.spearman).toBeLessThan(1);
  expect([second.images, second.largest, third.images]).toEqual([1, 0, 2]);

  const { output } = await runCambium('compare', await runOf({}), shifted);
  expect(output).toMatch(/\d of 15 places are others in b, in \d of 5 rankings/);
  expect(output).toMatch(/Grad-CAM @ layer4 +2 +2\.5e-1 +bubbly +0\.9/);
});

test('compare ends with 1 where something is worse and that was asked for, and refuses other verdicts', async () => {
  const [a, b] = await Promise.all([runOf({}), runOf({ shift: { technique: 'grad-cam', by: -0.2 } })]);
  expect((await runCambium('compare', a, b)).code).toBe(0);
  expect((await runCambium('compare', a, b, '--fail-on', 'worse')).code).toBe(1);
  const refused = await runCambium('compare', a, b, '--fail-on', 'better');
  expect([refused.code, refused.errors]).toEqual([2, '✖ --fail-on takes worse, got "better".\n']);
});

test('the result in a sentence names the best at each layer and how much is significant', async () => {
  const study = await studyOf({});
  expect(headline(study)).toMatch(
    /^Best over 5 criteria: Grad-CAM at layer4 \(mean rank [\d.]+\)\. The techniques differ/,
  );
  expect(weakness(study)).toBe(
    'With 2 images, 3 techniques need mean ranks more than 2.34 apart to be told apart (Nemenyi, 0.05); the largest distance there can be is 2: no pair can be told apart.',
  );
});

test('CSV quotes what must be quoted and disarms formulas; Markdown escapes its marks', () => {
  const table = {
    columns: ['a "b"', 'c|d'],
    rows: [
      ['=1+1', null],
      ['x,\ny', -0.5],
      ['*bold*', 1234.5678],
    ],
  };
  expect(toCsv(table)).toBe(`"a ""b""",c|d\r\n'=1+1,\r\n"x,\ny",-0.5\r\n*bold*,1234.5678\r\n`);
  expect(toMarkdown(table)).toBe(
    '| a "b" | c\\|d |\n| --- | ---: |\n| =1+1 | – |\n| x, y | -0.5 |\n| \\*bold\\* | 1235 |\n',
  );
});

test('the memory that a technique added is that of the map that grew most, and the peak that of all', async () => {
  const folder = await runOf({});
  const part = await readRun(folder);
  const told = [
    { before: 100, peak: 900 },
    { before: 900, peak: 1000 },
  ];
  const maps = part.maps.map((map) =>
    map.technique === 'grad-cam' ? { ...map, memory: told[SMALL.images.indexOf(map.image as 'bubbly')] } : map,
  );
  const costs = sumCosts(mergeRuns([{ ...part, maps }]));
  expect(costs.maps.map(({ growth }) => growth)).toEqual([800, null, null]);
  expect(costs.peak).toBe(1000);
  expect(sumCosts(mergeRuns([part])).peak).toBeNull();
});

test('what sessions are not billed for is told by the rows, and then nobody knows the share of the network', async () => {
  const part = await readRun(await runOf({}));
  const billed = sumCosts(mergeRuns([part]));
  expect(billed).toMatchObject({ forwards: 11_025, seconds: 640, classifierShare: 627 / 640 });
  const spent = { seconds: 2, classifier: 1, forwards: 3 };
  const { forwards, seconds, classifierShare, maps, criteria } = sumCosts(
    mergeRuns([{ ...part, run: { ...part.run, spent } }]),
  );
  const rows = [...maps, ...criteria];
  expect(forwards).toBe(rows.reduce((sum, row) => sum + row.forwards, 0));
  expect(seconds).toBeCloseTo(
    rows.reduce((sum, row) => sum + row.seconds, 0),
    9,
  );
  expect(classifierShare).toBeNull();
});

test('a plain loop is charged every map and score by itself, at the time that one image took', async () => {
  const folder = await runOf({ methods: ['grad-cam', 'score-cam'] });
  const part = await readRun(folder);
  const study = mergeRuns([part]);
  const { loop, criteria, maps } = sumCosts(study);
  const ofMaps = 2 * 1 + 2 * 64; // two images: Grad-CAM's pass, Score-CAM's 64
  const ofScores = criteria.reduce((sum, { unshared }) => sum + (unshared ?? Number.NaN), 0);
  const used = [...maps, ...criteria].reduce((sum, { forwards }) => sum + forwards, 0);
  expect(loop?.images).toEqual({ loop: ofMaps + ofScores, run: used });
  expect(loop?.seconds).toBeCloseTo(0.05 * (ofMaps + ofScores), 9);
  const { loop: _, ...untimed } = part.run;
  expect(sumCosts(mergeRuns([{ ...part, run: untimed }])).loop).toBeNull();
});

test('numbers are written for people', () => {
  expect([0, null, 0.4512345, -0.012345, 12_345.6, 1.5e-7, 2e7].map(formatScore)).toEqual([
    '0',
    '–',
    '0.4512',
    '−0.0123',
    '12,346',
    '1.50e−7',
    '2.00e+7',
  ]);
  expect([0.0004, 0.05, 1].map(formatP)).toEqual(['< 0.001', '0.050', '1.000']);
  expect([0.123, 9.96, 59.7, 200, 299.7, 7260].map(formatSeconds)).toEqual([
    '0.12 s',
    '10 s',
    '1 min 0 s',
    '3 min 20 s',
    '5 min 0 s',
    '2 h 1 min',
  ]);
});

const ROW: ResultRow = {
  key: 'k',
  model: 'm',
  image: 'i',
  layer: 'l',
  method: 'grad-cam',
  technique: 'grad-cam',
  metric: 'region-perturbation',
  options: {},
  value: 0.25,
  forwards: 2,
  explanations: 0,
  seconds: 0.1,
  device: 'cpu',
  seed: 42,
};
