import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeNpy } from '../src/io/npy.ts';
import { type Ended, root, runCambium, startCambium, temporaryFolder } from './support/run-cambium.ts';

const folder = temporaryFolder();
const images = ['bubbly', 'knitted'].map((name) => join('test-fixtures', 'images', `${name}.png`));
const methods = ['--method', 'grad-cam', '--method', 'relevance-cam'];
const read = (name: string) => readFileSync(join(folder, 'first', name));
let ended: Ended;

beforeAll(async () => {
  const args = ['explain', ...images, ...methods, '--layer', 'layer4', '-o'];
  ended = await runCambium(...args, join(folder, 'first'));
  await runCambium(...args, join(folder, 'second'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('explain writes an overlay, the map and the raw map of each image and method, and a manifest', () => {
  expect(ended.errors).toBe('');
  expect(ended.code).toBe(0);
  const stems = ['bubbly', 'knitted'].flatMap((name) =>
    ['grad-cam', 'relevance-cam'].map((method) => `${name}.layer4.${method}`),
  );
  const files = stems.flatMap((stem) => [`${stem}.coarse.npy`, `${stem}.npy`, `${stem}.png`]);
  expect(readdirSync(join(folder, 'first')).sort()).toEqual([...files, 'manifest.json'].sort());
  expect(ended.output).toContain('4 maps');
});

test('the final map is 224×224 in [0, 1] and reaches 1; the raw map is 7×7', () => {
  for (const stem of ['bubbly.layer4.grad-cam', 'knitted.layer4.relevance-cam']) {
    const map = decodeNpy(read(`${stem}.npy`));
    expect(map.shape).toEqual([224, 224]);
    expect(Math.min(...map.data)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...map.data)).toBeCloseTo(1, 5);
    expect(decodeNpy(read(`${stem}.coarse.npy`)).shape).toEqual([7, 7]);
  }
});

test('the overlay is half the image and half the colour of the map', async () => {
  const overlay = await sharp(read('bubbly.layer4.grad-cam.png')).raw().toBuffer();
  const image = await sharp(join(root, images[0])).raw().toBuffer();
  const map = decodeNpy(read('bubbly.layer4.grad-cam.npy'));
  const top = map.data.indexOf(Math.max(...map.data));
  // turbo ends at (144, 12, 0)
  const expected = [144, 12, 0].map((colour, channel) => Math.round((colour + image[3 * top + channel]) / 2));
  expect([...overlay.subarray(3 * top, 3 * top + 3)]).toEqual(expected);
});

test('the manifest records model, images, answers, options and files', () => {
  const manifest = JSON.parse(read('manifest.json').toString());
  expect(manifest.model).toMatchObject({
    name: 'resnet50-textures10',
    input: [3, 224, 224],
    preprocessing: { mean: [0.485, 0.456, 0.406] },
  });
  expect(manifest.model.sha256).toMatch(/^19de43930c51/);
  expect(manifest).toMatchObject({
    command: 'explain',
    device: 'onnxruntime cpu',
    seed: 42,
    colormap: 'turbo',
    alpha: 0.5,
  });
  expect(manifest.images.map((image: { predicted: { label: string } }) => image.predicted.label)).toEqual([
    'bubbly',
    'knitted',
  ]);
  expect(manifest.maps[0]).toMatchObject({
    image: 'bubbly',
    layer: 'layer4',
    value: 'layer4.2',
    shape: [2048, 7, 7],
    method: 'grad-cam',
    variant: null,
    target: { index: 0, label: 'bubbly' },
    degenerate: false,
    files: ['bubbly.layer4.grad-cam.png', 'bubbly.layer4.grad-cam.npy', 'bubbly.layer4.grad-cam.coarse.npy'],
  });
  expect(manifest.maps[0].target.probability).toBeGreaterThan(0.9);
});

test('a second run writes the same bytes', () => {
  for (const name of readdirSync(join(folder, 'first'))) {
    expect(readFileSync(join(folder, 'second', name)).equals(read(name)), name).toBe(true);
  }
});

test('a class, a variant, a format and a colour map can be chosen', async () => {
  const out = join(folder, 'chosen');
  const choice = [
    '--class',
    'lined',
    '--method',
    'score-cam',
    '--variant',
    'faster',
    '--channels',
    '4',
    '--format',
    'webp',
    '--colormap',
    'jet',
  ];
  const { code } = await runCambium('explain', images[0], ...choice, '-o', out);
  expect(code).toBe(0);
  expect(readdirSync(out).sort()).toEqual(['bubbly.layer4.score-cam.webp', 'manifest.json']);
  const [map] = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')).maps;
  expect(map).toMatchObject({ variant: 'faster', options: { channels: 4 }, target: { label: 'lined' } });
  expect(map.maskedForwards).toBe(4);
});

test('list and doctor tell what is there', async () => {
  const [layers, models, doctor] = await Promise.all([
    runCambium('list', 'layers'),
    runCambium('list', 'models'),
    runCambium('doctor'),
  ]);
  expect(layers.output).toMatch(/^layer4 +2048×7×7 +the family's name for layer4\.2$/m);
  expect(models.output).toContain('resnet50-textures10');
  expect(doctor.output).toMatch(/✔ self test: logits of .* with those of PyTorch: largest difference/);
  expect([layers.code, models.code, doctor.code]).toEqual([0, 0, 0]);
});

test('list methods names every method with its source', async () => {
  const { output } = await runCambium('list', 'methods');
  for (const name of ['grad-cam', 'grad-cam++', 'score-cam', 'relevance-cam', 'random-cam'])
    expect(output).toContain(name);
});

test('^C ends a long run with code 130 and one sentence, and leaves no torn file', async () => {
  const out = join(folder, 'stopped');
  const { child, ended } = startCambium('explain', ...images, '--method', 'score-cam', '--layer', 'layer2', '-o', out);
  while (!existsSync(out)) await setTimeout(50);
  await setTimeout(1500); // into the masked forward passes
  child.kill('SIGINT');
  const { code, errors } = await ended;
  expect(errors).toMatch(/^✖ Stopped\./m);
  expect(code).toBe(130);
  expect(readdirSync(out).filter((name) => !/\.(png|npy)$/.test(name))).toEqual([]);
});
