import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModel } from '@cambium/cam';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseLayers } from '../src/layers.ts';
import { prepareModel } from '../src/prepared-model.ts';
import { root, temporaryFolder } from './support/run-cambium.ts';
import { pixellessNetwork, tinyNetwork } from './support/tiny-networks.ts';

const folder = temporaryFolder();
const bare = join(folder, 'own.onnx');
const models = join(root, 'models');

beforeAll(() => copyFileSync(join(models, 'resnet50-textures10.onnx'), bare));
afterAll(() => rmSync(folder, { recursive: true }));

test('the embedded model is fully described by its manifest, so nothing is assumed', async () => {
  const model = await prepareModel({}, models);
  expect(model.notes).toEqual([]);
  expect(model).toMatchObject({ mean: [0.485, 0.456, 0.406], resize: 'shorter-side-centre-crop' });
  expect(model.labels).toHaveLength(10);
});

test('a bare file is described by its own metadata, and that is said', async () => {
  const model = await prepareModel({ model: bare }, undefined);
  expect(model.labels[1]).toBe('crosshatched');
  expect(model.std).toEqual([0.229, 0.224, 0.225]);
  expect(model.resize).toBe('shorter-side-centre-crop');
  expect(model.notes.map((note) => note.split(':')[0])).toEqual(['labels', 'mean', 'std', 'resize']);
  expect(model.notes.join()).toContain("from the model's metadata");
  expect(model.notes[3]).toContain('shorter side');
});

test('what the command line says wins', async () => {
  const labels = join(folder, 'labels.txt');
  writeFileSync(labels, Array.from({ length: 10 }, (_, index) => `class ${index}`).join('\r\n'));
  const model = await prepareModel({ model: bare, labels, mean: [0, 0, 0], std: [1, 1, 1] }, undefined);
  expect(model.labels[9]).toBe('class 9');
  expect([model.mean, model.std]).toEqual([
    [0, 0, 0],
    [1, 1, 1],
  ]);
  expect(model.notes).toEqual([expect.stringMatching(/^resize: /)]);
  const listed = await prepareModel({ model: bare, labels: 'a, b,c,d,e,f,g,h,i,j' }, undefined);
  expect(listed.labels.slice(0, 3)).toEqual(['a', 'b', 'c']);
});

test('what the command line says wins over the manifest, part by part', async () => {
  const manifest = await prepareModel({}, models);
  const [mean, std] = [await prepareModel({ mean: [0, 0, 0] }, models), await prepareModel({ std: [1, 1, 1] }, models)];
  expect([mean.mean, mean.std]).toEqual([[0, 0, 0], manifest.std]);
  expect([std.mean, std.std]).toEqual([manifest.mean, [1, 1, 1]]);
  const labels = await prepareModel({ labels: 'a,b,c,d,e,f,g,h,i,j' }, models);
  expect([labels.labels[0], labels.mean]).toEqual(['a', manifest.mean]);
});

test('layers go by the names of the family or of the graph; without a name it is the last of the family', async () => {
  const { graph } = await prepareModel({}, models);
  expect(chooseLayers([], graph)).toEqual([{ name: 'layer4', value: 'layer4.2', shape: [2048, 7, 7] }]);
  expect(chooseLayers(['layer2', 'layer3.0', 'layer2'], graph).map(({ value }) => value)).toEqual([
    'layer2.3',
    'layer3.0',
  ]);
  expect(() => chooseLayers(['layr2'], graph)).toThrow(/layer2/);
  expect(() => chooseLayers(['logits'], graph)).toThrow(/logits/);
});

test('without a family and a name it is the last layer of more than one pixel, not the pooled one behind it', async () => {
  const graph = await readModel(tinyNetwork());
  expect(chooseLayers([], graph)).toEqual([{ name: 'layer4', value: 'layer4', shape: [6, 4, 4] }]);
  expect(chooseLayers(['pooled'], graph)).toEqual([{ name: 'pooled', value: 'pooled', shape: [6, 1, 1] }]);
});

test('a model without a layer of more than one pixel is refused, unless a layer is named', async () => {
  const graph = await readModel(pixellessNetwork());
  expect(() => chooseLayers([], graph)).toThrow(/no layer of more than 1×1 pixels.*--layer/);
  expect(chooseLayers(['globalaveragepool_0'], graph)[0].shape).toEqual([3, 1, 1]);
});
