import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ModelError } from '../src/errors.ts';
import { loadModel } from '../src/onnx/load.ts';
import { readModel } from '../src/onnx/read.ts';
import { ModelBuilder } from './support/build-model.ts';

// outside/secret.bin lies beside the folder of the models; inside/leaving.bin is a link to it.
let root = '';
const numbers = [1, 2, 3, 4, 5, 6];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'cambium-onnx-'));
  await mkdir(join(root, 'inside', 'weights'), { recursive: true });
  const padded = Buffer.concat([Buffer.alloc(7), Buffer.from(Float32Array.from(numbers).buffer), Buffer.alloc(3)]);
  await writeFile(join(root, 'inside', 'weights', 'data.bin'), padded);
  await writeFile(join(root, 'secret.bin'), padded);
  await symlink(join(root, 'secret.bin'), join(root, 'inside', 'leaving.bin'));
  await symlink(root, join(root, 'inside', 'up'));
  await symlink(join('weights', 'data.bin'), join(root, 'inside', 'staying.bin'));
});

afterAll(() => rm(root, { recursive: true }));

function modelWith(
  location: string,
  place: { readonly offset?: string; readonly length?: string } = { offset: '7', length: '24' },
): Uint8Array {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] } });
  const externalData = Object.entries({ location, ...place }).map(([key, value]) => ({ key, value }));
  const weights = net.initialiser({ dims: [3n, 2n], dataType: 1, dataLocation: 1, externalData });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [net.input])], { axis: 1 });
  return net.output(net.node('MatMul', [rows, weights])).bytes();
}

async function load(bytes: Uint8Array) {
  const path = join(root, 'inside', 'model.onnx');
  await writeFile(path, bytes);
  return loadModel(path);
}

test.each(['weights/data.bin', './weights/../weights/data.bin', 'staying.bin'])(
  "weights are read from %s in the model's folder",
  async (location) => {
    const { constants } = await load(modelWith(location));
    expect([...constants.values()].map(({ data }) => [...data])).toEqual([numbers]);
  },
);

test.each([
  ['an absolute path', () => join(root, 'secret.bin')],
  ['a path upward', () => '../secret.bin'],
  ['a path down and upward', () => 'weights/../../secret.bin'],
  ['a link that leaves', () => 'leaving.bin'],
  ['a linked folder that leaves', () => 'up/secret.bin'],
  ['the folder itself', () => '.'],
  ['an empty path', () => ''],
  ['a path with a zero byte', () => 'weights\0/data.bin'],
])('%s is refused, naming the tensor', async (_, location) => {
  const failure = await load(modelWith(location())).catch((error) => error);
  expect(failure).toBeInstanceOf(ModelError);
  expect(failure.message).toMatch(
    /^Tensor "weight_0", external data ".*": expected a file in the model's own folder, got a path that leaves it\./s,
  );
});

test('a data file that is missing, or too short, is told apart', async () => {
  await expect(load(modelWith('other.bin'))).rejects.toThrow('got no such file');
  await expect(load(modelWith('weights/data.bin', { offset: '20', length: '24' }))).rejects.toThrow(
    'bytes 20 to 44 within it, got 34 bytes',
  );
  await expect(load(modelWith('weights/data.bin', { offset: '-4', length: '24' }))).rejects.toThrow(ModelError);
  await expect(load(modelWith('weights/data.bin', { offset: '7' }))).rejects.toThrow(
    'expected 24 bytes for shape [3, 2], got 27',
  );
});

test('bytes alone cannot have external data', () => {
  expect(() => readModel(modelWith('weights/data.bin'))).toThrow('read the model with loadModel');
});
