import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mapRowSchema } from '../src/study/records.ts';
import { readRows } from '../src/study/rows.ts';
import { files } from '../src/study/run-files.ts';
import { quick } from '../src/suites/quick.ts';
import { temporaryFolder } from './support/run-cambium.ts';
import { runHere } from './support/run-here.ts';
import { tinyNetwork } from './support/tiny-networks.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const out = at('out');
const explain = (model: string, ...args: string[]) =>
  runHere('explain', at('images/noise.png'), '--model', at(model), '-o', out, ...args);
const run = (model: string, ...args: string[]) =>
  runHere('run', at('suite.json'), '--model', at(model), '-o', out, ...args);

beforeAll(async () => {
  writeFileSync(at('tiny.onnx'), tinyNetwork());
  writeFileSync(at('uncrossable.onnx'), tinyNetwork({ activation: 'Erf' }));
  writeFileSync(at('dead.onnx'), tinyNetwork({ dead: true }));
  writeFileSync(at('nan.onnx'), tinyNetwork({ bias: Number.NaN }));
  const noise = Uint8Array.from({ length: 192 }, (_, index) => (index * 7919) % 251);
  const image = sharp(noise, { raw: { width: 8, height: 8, channels: 3 } });
  mkdirSync(at('images'));
  writeFileSync(at('images/noise.png'), await image.png().toBuffer());
  copyFileSync(at('images/noise.png'), at('images/noise_2.png'));
  const { layers, methods } = quick;
  writeFileSync(
    at('suite.json'),
    JSON.stringify({ name: 'own', images: 'images', layers, methods, metrics: ['complexity'] }),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Exit code 2, one sentence, and no folder. */
function expectRefused({ code, output, errors }: Awaited<ReturnType<typeof runHere>>, says: RegExp): void {
  expect(errors).toMatch(/^✖ [^\n]+\n$/);
  expect(errors).toMatch(says);
  expect([code, output, existsSync(out)]).toEqual([2, '', false]);
}

test.each(['grad-cam', 'grad-cam++', 'relevance-cam'])(
  '%s over an operation without a rule is refused',
  async (method) => {
    expectRefused(await explain('uncrossable.onnx', '--method', method, '--layer', 'layer2'), /Op Erf at node/);
  },
);

test('of several layers and methods, one walk that cannot be made is enough to be refused', async () => {
  const layers = ['--layer', 'layer4', '--layer', 'layer2'];
  expectRefused(
    await explain('uncrossable.onnx', '--method', 'score-cam', '--method', 'grad-cam', ...layers),
    /Op Erf at node/,
  );
});

test('behind that operation, and with a method that walks nowhere, the same network is explained', async () => {
  const { code } = await explain('uncrossable.onnx', '--layer', 'layer4');
  const forwards = ['--method', 'score-cam', '--method', 'random-cam', '--layer', 'layer2'];
  const { code: without } = await explain('uncrossable.onnx', ...forwards);
  rmSync(out, { recursive: true });
  expect([code, without]).toEqual([0, 0]);
});

test('a layer that the classifier does not read is refused', async () => {
  expectRefused(await explain('tiny.onnx', '--layer', 'unread'), /Unknown layer "unread"\. Nearest: layer2/);
});

test('a network that answers with NaN is refused, whatever the method', async () => {
  for (const method of ['grad-cam', 'random-cam'])
    expectRefused(await explain('nan.onnx', '--method', method), /output .* is NaN/);
});

test('a device that is not there is refused', async () => {
  const missing = process.platform === 'win32' ? 'coreml' : 'dml';
  expectRefused(await explain('tiny.onnx', '--device', missing), new RegExp(missing));
});

test('a run over a network that a method cannot walk back through is refused as well', async () => {
  expectRefused(await run('uncrossable.onnx'), /Op Erf at node/);
});

test('a constant map is told once for each map, with image, layer and method, and stays in the manifest', async () => {
  const { code, errors } = await explain(
    'tiny.onnx',
    '--layer',
    'pooled',
    '--layer',
    'layer4',
    '--method',
    'random-cam',
  );
  const told = errors.split('\n').filter((line) => line.includes('constant'));
  expect(told).toEqual([expect.stringMatching(/^noise @ pooled, Random-CAM: the map came out constant/)]);
  expect(code).toBe(0);
  const { maps } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  expect(maps.map(({ degenerate }: { degenerate: boolean }) => degenerate)).toEqual([true, false]);
  rmSync(out, { recursive: true });
});

test('a run tells of its constant maps, those that its rows call degenerate', async () => {
  const { code, errors } = await run('dead.onnx', '--no-report');
  const { rows } = readRows(join(out, files.maps), mapRowSchema);
  const silent = rows.filter(({ degenerate }) => degenerate);
  expect(errors.match(/^.+: the map came out constant/gm)).toHaveLength(silent.length);
  expect(errors).toContain('noise_2 @ layer4, Relevance-CAM: the map came out constant');
  expect(silent.length).toBeGreaterThanOrEqual(8); // every method at the dead layer, for both images
  expect(code).toBe(0);
  rmSync(out, { recursive: true });
});
