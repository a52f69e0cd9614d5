import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openFolder, writeAtomically } from '../src/io/atomic-write.ts';
import { findModel, readManifest } from '../src/io/model.ts';
import { sha256 } from '../src/io/sha256.ts';
import { temporaryFolder } from './support/run-cambium.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const entry = {
  name: 'tiny',
  file: 'tiny.onnx',
  sha256: sha256(Buffer.from('model')),
  labels: ['a', 'b'],
  input: [3, 8, 8],
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

function modelFolder(name: string, change: object = {}): string {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'tiny.onnx'), 'model');
  writeFileSync(join(path, 'manifest.json'), JSON.stringify({ models: [{ ...entry, ...change }] }));
  return path;
}

test('a file is written whole, and nothing else is left', async () => {
  const target = join(folder, 'new', 'deep', 'file.txt');
  await openFolder(join(folder, 'new', 'deep'));
  await writeAtomically(target, 'one');
  await writeAtomically(target, 'two');
  expect(readFileSync(target, 'utf8')).toBe('two');
  expect(readdirSync(join(folder, 'new', 'deep'))).toEqual(['file.txt']);
});

test('a file that cannot be put in place leaves nothing behind', async () => {
  const target = join(folder, 'taken');
  mkdirSync(join(target, 'inside'), { recursive: true });
  await expect(writeAtomically(target, 'text')).rejects.toThrow(/taken cannot be written/);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a folder is made with those above it, and left empty; a folder that exists will do', async () => {
  const path = join(folder, 'not', 'yet', 'there');
  await openFolder(path);
  await openFolder(path);
  expect(readdirSync(path)).toEqual([]);
});

test('no folder can be made in place of a file or below one', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(openFolder(join(folder, 'file'))).rejects.toThrow(
    /file cannot be written to: a file of that name is there/,
  );
  await expect(openFolder(join(folder, 'file', 'below'))).rejects.toThrow(/a part of the path is a file/);
});

test.runIf(process.platform === 'linux')('a folder that the kernel keeps is refused at once', async () => {
  await expect(openFolder('/proc/cambium/maps')).rejects.toThrow(/cannot be written to: no such file or folder/);
});

test('a model is found by its name, by its path, and as the first of the manifest', async () => {
  const models = modelFolder('good');
  const found = await findModel('tiny', models);
  expect(found).toMatchObject({ name: 'tiny', sha256: entry.sha256, entry: { labels: ['a', 'b'] } });
  expect(await findModel(undefined, models)).toEqual(found);
  expect(await findModel(join(models, 'tiny.onnx'), undefined)).toEqual(found);
});

test('a bare file needs no manifest, and a manifest.json of another tool is left alone', async () => {
  const models = modelFolder('bare');
  writeFileSync(join(models, 'manifest.json'), '{"start_url": "/"}');
  expect(await findModel(join(models, 'tiny.onnx'), undefined)).toMatchObject({ name: 'tiny', entry: undefined });
});

test.each([
  [{ sha256: 'ab' }, /field models\.0\.sha256/],
  [{ std: [1, 0, 1] }, /field models\.0\.std\.1/],
  [{ file: '../outside.onnx' }, /field models\.0\.file.*beside the manifest/],
  [{ input: [1, 8, 8] }, /field models\.0\.input/],
  [{ resize: 'stretch' }, /field models\.0\.resize/],
])('a manifest with %j is refused by its field', async (change, says) => {
  await expect(
    readManifest(modelFolder(`bad-${JSON.stringify(change).length}-${Object.keys(change)}`, change)),
  ).rejects.toThrow(says);
});

test('without a checkout the error says how to name a model', async () => {
  await expect(findModel(undefined, undefined)).rejects.toThrow('name an .onnx file with --model');
  await expect(readManifest(join(folder, 'nowhere'))).rejects.toThrow(/manifest\.json cannot be read: no such file/);
});
