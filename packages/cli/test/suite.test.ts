import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { cellsOf } from '../src/study/cells.ts';
import { loadSuite } from '../src/study/load-suite.ts';
import { reductionsOf } from '../src/study/reductions.ts';
import { resolveStudy } from '../src/study/study.ts';
import { suiteSchema } from '../src/study/suite.ts';
import { studyRecord } from '../src/study/suite-record.ts';
import type { suites } from '../src/suites/index.ts';
import { root, temporaryFolder } from './support/run-cambium.ts';
import { tinySuite, writeTinyStudy } from './support/tiny-study.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const good = { name: 'mine', layers: ['late'], methods: ['grad-cam'], metrics: ['complexity'] };

async function fault(suite: unknown): Promise<string> {
  const path = join(folder, 'suite.json');
  writeFileSync(path, JSON.stringify(suite));
  return loadSuite(path, undefined).then(
    () => 'nothing',
    (error: Error) => error.message.replace(/^The suite \S+ is not as it should be: /, ''),
  );
}

test.each([
  [
    'a key that is none',
    { ...good, metrcs: [] },
    'metrcs: there is no such key, did you mean metrics or metric or methods?',
  ],
  ['a key that is missing', { ...good, layers: undefined }, 'layers: is missing'],
  [
    'a mistyped method',
    { ...good, methods: ['grad-cam', 'scorecam'] },
    'methods[1]: there is no "scorecam", did you mean score-cam or ',
  ],
  [
    'a mistyped metric',
    { ...good, metrics: [{ metric: 'continuty' }] },
    'metrics[0].metric: there is no "continuty", did you mean continuity or ',
  ],
  [
    'a key within an entry',
    { ...good, metrics: [{ metric: 'continuity', option: {} }] },
    'metrics[0].option: there is no such key',
  ],
  [
    'an option of a method',
    { ...good, methods: [{ method: 'score-cam', options: { variant: 'fastr' } }] },
    'methods[0].options.variant: there is no "fastr", did you mean faster or ',
  ],
  [
    'an option that a method has not',
    { ...good, methods: [{ method: 'grad-cam', options: { channels: 3 } }] },
    'methods[0].options.channels: there is no such key',
  ],
  ['a number out of range', { ...good, seed: -1 }, 'seed: Too small'],
  ['maps from files without a name', { ...good, methods: [{ maps: './{image}.npy' }] }, 'methods[0].id: is missing'],
  [
    'maps from files with a wrong word',
    { ...good, methods: [{ maps: './{image}.npy', id: 'mine', negative: 'abs' }] },
    'methods[0].negative: there is no "abs", did you mean ',
  ],
  ['a number where a name or an index stands', { ...good, target: 1.5 }, 'target: expected string or int, got 1.5'],
  ['a number for a metric', { ...good, metrics: [3] }, 'metrics[0]: expected one of several names or object, got 3'],
  ['a wrong kind', { ...good, metrics: 'all' }, 'metrics: expected array, received string'],
  ['no object at all', [], 'the suite: expected object'],
])('a suite with %s is refused by the place of the key', async (_, suite, message) => {
  expect(await fault(suite)).toContain(message);
});

test('a suite file that is no JSON, and a suite that is not there, are told so', async () => {
  writeFileSync(join(folder, 'broken.json'), '{ "name": ');
  await expect(loadSuite(join(folder, 'broken.json'), undefined)).rejects.toThrow('is not JSON');
  await expect(loadSuite('quik', undefined)).rejects.toThrow('There is no suite "quik". Nearest: quick, ');
  await expect(loadSuite(join(folder, 'none.json'), undefined)).rejects.toThrow('no such file');
});

test('a TypeScript file may export a suite', async () => {
  writeFileSync(
    join(folder, 'own.suite.ts'),
    `const suite: object = ${JSON.stringify(good)};\nexport default suite;\n`,
  );
  expect((await loadSuite(join(folder, 'own.suite.ts'), undefined)).suite).toMatchObject({ name: 'mine', seed: 42 });
});

test('options are checked against the metric and the model, naming the entry', async () => {
  const path = await writeTinyStudy(folder);
  const resolve = (change: object) => {
    writeFileSync(path, JSON.stringify({ ...tinySuite(), ...change }));
    return loadSuite(path, undefined).then((loaded) => resolveStudy(loaded, {}, undefined));
  };
  await expect(resolve({ metrics: [{ metric: 'continuity', options: { stepps: 3 } }] })).rejects.toThrow(
    'metrics[0].options.stepps: continuity has no such option',
  );
  await expect(resolve({ metrics: ['complexity', { metric: 'continuity', options: { steps: 0 } }] })).rejects.toThrow(
    'metrics[1].options.steps: continuity expected steps to be a whole number from 1, got 0',
  );
  await expect(resolve({ metrics: ['sufficiency'] })).rejects.toThrow(
    'metrics[0]: sufficiency looks at several images',
  );
  const morf = { metric: 'region-perturbation', options: { order: 'morf' } };
  await expect(resolve({ metrics: [morf, 'complexity', 'region-perturbation'] })).rejects.toThrow(
    'metrics[2]: region-perturbation is there already with these options',
  );
  await expect(resolve({ methods: ['grad-cam', 'grad-cam'] })).rejects.toThrow('would both be called "grad-cam"');
  await expect(resolve({ metrics: [{ metric: 'continuity', options: { steps: '3' } }] })).rejects.toThrow(
    'metrics[0].options.steps: continuity expected steps to be a whole number from 1, got "3"',
  );
});

test('what a key names is looked up, and what is not there is told by the key', async () => {
  const path = await writeTinyStudy(folder);
  const refused = async (change: object, flags: object = {}) => {
    writeFileSync(path, JSON.stringify({ ...tinySuite(), ...change }));
    return loadSuite(path, undefined)
      .then((loaded) => resolveStudy(loaded, flags, undefined))
      .then(
        () => 'nothing',
        (error: Error) => `${error.name} ${error.message}`,
      );
  };
  const file = './images/noise.png';
  expect(await refused({ layers: ['late', 'lat'] })).toMatch(
    /^UsageError layers\[1\]: Unknown layer "lat"\. Nearest: late/,
  );
  expect(await refused({ layers: ['late', 'late'] })).toMatch('layers[1]: late is late, which is there already.');
  expect(await refused({ target: 'zebra' })).toMatch(/^UsageError target: Unknown class "zebra"/);
  expect(await refused({ target: 99 })).toMatch(/^UsageError target: There is no class 99/);
  expect(await refused({ target: 'label' })).toMatch('needs a label for every image');
  expect(await refused({ target: 'label', classes: ['a', 'a', 'c', 'd', 'e'], images: ['./images/a_1.png'] })).toMatch(
    /^UsageError target: "label" needs classes of different names/,
  );
  expect(await refused({ model: './none.onnx' })).toMatch(/^UsageError model: The model .+none\.onnx cannot be read/);
  expect(await refused({}, { model: './none.onnx' })).toMatch(/^UsageError --model: /);
  expect(await refused({ preprocess: { size: [0.5, 2] } })).toMatch('preprocess.size[0]: expected int');
  expect(await refused({ classes: './none.txt' })).toMatch(/^UsageError classes .+none\.txt is neither a file/);
  expect(await refused({ classes: ['a'] })).toMatch(/^UsageError classes names 1, and .+tiny\.onnx has 5 classes/);
  expect(await refused({ images: './none' })).toMatch(/^UsageError images: The images in .+none cannot be listed/);
  expect(await refused({}, { images: './none' })).toMatch(
    /^UsageError --images: The images in .+none cannot be listed/,
  );
  expect(await refused({ images: [file, './none.png'] })).toMatch(/^UsageError images\[1\]: The image .+none\.png/);
  expect(await refused({ images: [{ file: './none.png' }] })).toMatch(/^UsageError images\[0\]\.file: The image/);
  expect(await refused({ images: [{ file, label: 'z' }] })).toMatch(
    /^UsageError images\[0\]\.label: Unknown class "z"/,
  );
  expect(await refused({ images: [{ file, mask: './none.png' }] })).toMatch(/^UsageError images\[0\]\.mask: The image/);
});

test('a cell is known by what its mask shows and by the class that its label stands for', async () => {
  const own = join(folder, 'keys');
  const path = await writeTinyStudy(own);
  const file = './images/a_1.png';
  const keys = async (change: object) => {
    writeFileSync(path, JSON.stringify({ ...tinySuite(), metrics: ['complexity', 'pointing-game'], ...change }));
    const study = await resolveStudy(await loadSuite(path, undefined), {}, undefined);
    return { cells: cellsOf(study).map(({ key }) => key), suite: studyRecord(study).suiteKey };
  };
  const masked = await keys({ images: [{ file, mask: './images/noise.png' }] });
  copyFileSync(join(own, 'images', 'noise.png'), join(own, 'elsewhere.png'));
  expect(await keys({ images: [{ file, mask: './elsewhere.png' }] })).toEqual(masked);
  copyFileSync(join(own, 'images', 'b_1.png'), join(own, 'elsewhere.png'));
  const other = await keys({ images: [{ file, mask: './elsewhere.png' }] });
  expect(other.suite).not.toBe(masked.suite);
  expect(other.cells.some((key) => masked.cells.includes(key))).toBe(false);

  const labelled = await keys({ target: 'label', images: [file] });
  const swapped = await keys({ target: 'label', images: [file], classes: ['b', 'a', 'c', 'd', 'e'] });
  expect(swapped.suite).not.toBe(labelled.suite);
  expect(swapped.cells.some((key) => labelled.cells.includes(key))).toBe(false);
  const elsewhere = await keys({ target: 'label', images: [file], classes: ['a', 'z', 'c', 'd', 'e'] });
  expect(elsewhere.cells).toEqual(labelled.cells);
});

test('a suite file may begin with a byte order mark', async () => {
  writeFileSync(join(folder, 'bom.json'), `\uFEFF${JSON.stringify(good)}`);
  expect((await loadSuite(join(folder, 'bom.json'), undefined)).suite.name).toBe('mine');
});

test('images come from a flat folder, a folder for each class, or a list with labels', async () => {
  const path = await writeTinyStudy(folder);
  for (const label of ['a', 'b']) mkdirSync(join(folder, 'classes', label), { recursive: true });
  for (const label of ['a', 'b'])
    copyFileSync(join(folder, 'images', 'noise.png'), join(folder, 'classes', label, 'x.png'));
  const images = async (wanted: unknown) => {
    writeFileSync(path, JSON.stringify({ ...tinySuite(), images: wanted }));
    const study = await resolveStudy(await loadSuite(path, undefined), {}, undefined);
    return study.images.map(({ name, label }) => [name, label]);
  };
  expect(await images('./images')).toEqual([
    ['a_1', 'a'],
    ['b_1', 'b'],
    ['noise', undefined],
  ]);
  expect(await images({ folder: './classes' })).toEqual([
    ['a_x', 'a'],
    ['b_x', 'b'],
  ]);
  expect(await images('./images/*_1.png')).toEqual([
    ['a_1', 'a'],
    ['b_1', 'b'],
  ]);
  await expect(images('./images/*.tif')).rejects.toThrow('fits no PNG, JPEG');
  expect(await images([{ file: 'images/noise.png', label: 'c' }])).toEqual([['noise', 'c']]);
  await expect(images([{ file: 'images/noise.png', label: 'z' }])).rejects.toThrow(
    'images[0].label: Unknown class "z"',
  );
});

test('two files of the same bytes are two images, each with cells of its own, and the first keeps those it had alone', async () => {
  const path = await writeTinyStudy(folder);
  const keys = async (images: string[]) => {
    writeFileSync(path, JSON.stringify({ ...tinySuite(), images }));
    return cellsOf(await resolveStudy(await loadSuite(path, undefined), {}, undefined)).map(({ key }) => key);
  };
  copyFileSync(join(folder, 'images', 'noise.png'), join(folder, 'noise_copy.png'));
  const alone = await keys(['images/noise.png']);
  const both = await keys(['images/noise.png', 'noise_copy.png']);
  expect(both.slice(0, alone.length)).toEqual(alone);
  expect(new Set(both).size).toBe(2 * alone.length);
});

test('`paper` leaves nothing out; `quick` and `smoke` say what they do', async () => {
  const reductions = async (name: keyof typeof suites) =>
    reductionsOf(await resolveStudy(await loadSuite(name, root), {}, join(root, 'models')));
  expect(await reductions('paper')).toEqual([]);
  const quick = await reductions('quick');
  expect(quick).toContain('Continuity: steps 5 instead of 28.');
  expect(quick).toContain('Continuity explains by score-cam with channels 8.');
  expect((await reductions('smoke'))[0]).toBe(
    'Score-CAM masks with 8 channels, those that vary most, instead of all (2048 at layer4).',
  );
});

test('docs/suite.schema.json is the schema that suites are checked by', () => {
  const written = JSON.parse(readFileSync(join(root, 'docs', 'suite.schema.json'), 'utf8'));
  expect(written).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(suiteSchema, { io: 'input' }))));
});

test('a label may hold a comma, a list too short is told by its length, and paths may be absolute', async () => {
  const own = join(folder, 'absolute');
  await writeTinyStudy(own);
  const classes = ['tabby, tabby cat', 'b', 'c', 'd', 'e'];
  const given = { ...tinySuite(), model: join(own, 'tiny.onnx'), classes, images: join(own, 'images') };
  mkdirSync(join(own, 'elsewhere'), { recursive: true });
  const path = join(own, 'elsewhere', 'suite.json');
  writeFileSync(path, JSON.stringify(given));
  expect((await resolveStudy(await loadSuite(path, undefined), {}, undefined)).model.labels).toEqual(classes);

  const lines = join(own, 'labels.txt');
  writeFileSync(lines, classes.join('\n'));
  writeFileSync(path, JSON.stringify({ ...given, classes: lines }));
  expect((await resolveStudy(await loadSuite(path, undefined), {}, undefined)).model.labels).toEqual(classes);

  writeFileSync(path, JSON.stringify({ ...given, classes: ['only'] }));
  await expect(loadSuite(path, undefined).then((suite) => resolveStudy(suite, {}, undefined))).rejects.toThrow(
    /^classes names 1, and .*has 5 classes: give one label for each class\.$/,
  );
});
