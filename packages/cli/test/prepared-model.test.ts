import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseLayers } from '../src/layers.ts';
import { prepareModel } from '../src/prepared-model.ts';
import { root, temporaryFolder } from './support/run-cambium.ts';

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
  expect(model.notes).toHaveLength(3);
  expect(model.notes.join()).toContain("from the model's metadata");
});

test('what the command line says wins', async () => {
  const labels = join(folder, 'labels.txt');
  writeFileSync(labels, Array.from({ length: 10 }, (_, index) => `class ${index}`).join('\r\n'));
  const model = await prepareModel({ model: bare, labels, mean: [0, 0, 0], std: [1, 1, 1] }, undefined);
  expect(model.labels[9]).toBe('class 9');
  expect([model.mean, model.std, model.notes]).toEqual([[0, 0, 0], [1, 1, 1], []]);
  const listed = await prepareModel({ model: bare, labels: 'a, b,c,d,e,f,g,h,i,j' }, undefined);
  expect(listed.labels.slice(0, 3)).toEqual(['a', 'b', 'c']);
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
