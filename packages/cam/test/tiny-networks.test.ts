import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { listLayers, loadModel } from '../src/index.ts';
import { tinyNetworks } from './support/tiny-nets.ts';

const folder = new URL('../../../test-fixtures/networks/', import.meta.url);

test.each(Object.entries(tinyNetworks))(
  '%s is what its builder makes, and reads as a classifier',
  async (file, bytes) => {
    const path = fileURLToPath(new URL(file, folder));
    expect(new Uint8Array(await readFile(path))).toEqual(bytes());
    expect(listLayers(await loadModel(path)).length).toBeGreaterThan(0);
  },
);
