import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { modules, wasmFile } from '../../../scripts/build-wasm.ts';
import { runModule } from '../src/wasm.ts';

test.each(modules)('$target is what its source compiles to', async (module) => {
  expect(readFileSync(new URL(`../../../${module.target}`, import.meta.url), 'utf8')).toBe(await wasmFile(module));
});

test('bytes that an engine refuses run nothing', () => {
  expect(runModule(btoa('no module'))).toBeUndefined();
});
