import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { numpyRandom, type Tensor, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeNpy } from '../src/io/npy.ts';
import { readMap } from '../src/study/run-folder.ts';
import { type Ended, runCambium, temporaryFolder } from './support/run-cambium.ts';
import { runHere } from './support/run-here.ts';
import { linesOf, recordOf, rowsOf } from './support/run-rows.ts';
import { SIDE, tinySuite, writeTinyStudy } from './support/tiny-study.ts';

const folder = temporaryFolder();
const out = join(folder, 'out');
const own = { maps: './own/{layer}/{image}.npy', id: 'own', title: 'Own maps' };
const random = numpyRandom(9);
let suite: string;
let ended: Ended;

const positive = () => ({ data: uniformTensor(random, [SIDE, SIDE]).data.map(Math.abs), shape: [SIDE, SIDE] });
const write = (name: string, map: Tensor) => writeFileSync(join(folder, 'own', `${name}.npy`), encodeNpy(map));
const study = (entry: object) =>
  writeTinyStudy(folder, { ...tinySuite(), methods: ['grad-cam', entry as { method: 'grad-cam' }] });

beforeAll(async () => {
  for (const layer of ['early', 'late']) {
    mkdirSync(join(folder, 'own', layer), { recursive: true });
    for (const image of ['a_1', 'b_1', 'noise']) write(`${layer}/${image}`, positive());
  }
  suite = await study(own);
  ended = await runCambium('run', suite, '-o', out);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('maps from files are scored beside those of methods, and metrics that explain again say why they are not', () => {
  expect(ended.code, ended.errors).toBe(0);
  expect(linesOf(out)).toHaveLength(3 * 2 * 2 * 5);
  const scored = (technique: string) =>
    new Set(rowsOf(out).flatMap((row) => (row.technique === technique && row.value !== null ? row.metric : [])));
  expect([...scored('own')].sort()).toEqual(['complexity', 'non-sensitivity', 'region-perturbation']);
  expect(scored('grad-cam').size).toBe(5);
  const reasons = new Set(rowsOf(out).flatMap(({ reason }) => reason ?? []));
  expect(reasons).toContain('continuity explains other images or classes, and the maps of Own maps come from files.');
  expect(ended.errors).toContain('Own maps has no Continuity and no Random logit: its maps come from files');
  expect(recordOf(out).reductions.join()).toContain('Own maps has no Continuity');
});

test('a map from a file is brought to [0, 1] and otherwise stays what it was', async () => {
  const map = await readMap(out, { layer: 'late', technique: 'own', image: 'noise' });
  const [least, most] = [Math.min(...map.data), Math.max(...map.data)];
  expect([map.shape, least, most]).toEqual([[SIDE, SIDE], 0, 1]);
});

test('a changed file makes its own cells anew and no others', async () => {
  write('late/noise', positive());
  const again = await runCambium('run', '--no-report', suite, '-o', out, '--json');
  const cells = again.output.split('\n').filter((line) => line.startsWith('{"event":"cell"'));
  expect(cells.map((line) => JSON.parse(line)).map(({ image, layer, technique }) => [image, layer, technique])).toEqual(
    Array(5).fill(['noise', 'late', 'own']),
  );
});

test('smaller maps are enlarged, axes of one are dropped, and without {layer} the same map stands at every layer', async () => {
  write('small', tensor([0, 1, 2, 3], [1, 2, 2]));
  const list = await study({ ...own, maps: 'own/small.npy?{image}' });
  expect((await runHere('plan', list)).errors).toContain('cannot be read');
  for (const image of ['a_1', 'b_1', 'noise']) write(image, tensor([0, 1, 2, 3], [1, 2, 2]));
  const small = join(folder, 'small');
  const run = await runHere('run', '--no-report', await study({ ...own, maps: 'own/{image}.npy' }), '-o', small);
  expect(run.code, run.errors).toBe(0);
  const [early, late] = await Promise.all(
    ['early', 'late'].map((layer) => readMap(small, { layer, technique: 'own', image: 'a_1' })),
  );
  expect([early.shape, early.data[0], early.data.at(-1)]).toEqual([[SIDE, SIDE], 0, 1]);
  expect(late).toEqual(early);
});

test.each([
  ['a path without {image}', { maps: 'own/x.npy' }, undefined, /methods\[1\]\.maps: "own\/x\.npy" names no image/],
  ['a file that is not there', { maps: 'none/{image}.npy' }, undefined, /the map of a_1 cannot be read .*no such file/],
  ['an array of another shape', {}, tensor([1, 2, 3], [3]), /holds an array of 3, and a map is height×width/],
  ['NaN', {}, tensor([0, Number.NaN], [1, 2]), /holds NaN at index 1/],
  ['numbers below 0', {}, tensor([0, -1], [1, 2]), /below 0; say what becomes of them: "negative": "drop"/],
])('%s is refused before anything is computed, with the file', async (_, change, map, says) => {
  if (map) write('early/a_1', map);
  const { code, errors } = await runHere('run', await study({ ...own, ...change }), '-o', join(folder, 'none'));
  expect(errors).toMatch(says);
  expect(code).toBe(2);
});

test('numbers below 0 are dropped or taken as their size, as the suite says', async () => {
  write('early/a_1', tensor([0, 1, -2, 0.5], [2, 2]));
  const mapUnder = async (negative: string) => {
    const at = join(folder, negative);
    const run = await runHere('run', '--no-report', await study({ ...own, negative }), '--limit', '1', '-o', at);
    expect(run.code, run.errors).toBe(0);
    return (await readMap(at, { layer: 'early', technique: 'own', image: 'a_1' })).data;
  };
  const lowerLeft = (SIDE - 1) * SIDE;
  expect((await mapUnder('drop'))[lowerLeft]).toBe(0);
  expect((await mapUnder('absolute'))[lowerLeft]).toBe(1);
});
