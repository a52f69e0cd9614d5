import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { type KernelName, kernels } from '../src/index.ts';
import { findTestGpu } from './support/software-gpu.ts';

const gpu = await findTestGpu();

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

// The examples run as they stand, and what they print is what their comments say. Only `openDevice` is the tests' own, for
// the machine may have no GPU but the software one.
describe.each(examples.map((code, index) => [index + 1, code] as const))('example %i', (_, code) => {
  const missing = code.includes('openDevice') && 'missing' in gpu ? gpu.missing : '';

  test.skipIf(missing)(`prints what it says${missing && ` (skipped: ${missing})`}`, async () => {
    const printed: string[] = [];
    const log = vi
      .spyOn(console, 'log')
      .mockImplementation((...values) => void printed.push(values.map(shown).join(' ')));
    await runExample(code).finally(() => log.mockRestore());
    const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
    expect(printed).toEqual(promised);
    expect(promised.length).toBeGreaterThan(0);
  });
});

test('the table names every kernel', () => {
  const table = readme.slice(readme.indexOf('## Kernels'));
  expect((Object.keys(kernels) as KernelName[]).filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
});

async function runExample(code: string): Promise<void> {
  const { stripTypeScriptTypes } = await import('node:module');
  const library = { ...(await import('../src/index.ts')), ...('open' in gpu ? { openDevice: gpu.open } : {}) };
  const body = stripTypeScriptTypes(code)
    .replace(/^import \{(.*)\} from '@cambium\/gpu-kernels';$/gm, (_, names: string) => `const {${names}} = library;`)
    .replace(/^export /gm, '');
  const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (library: object) => Promise<void>; // its one signature here
  await new AsyncFunction('library', body)(library);
}

function shown(value: unknown): string {
  if (Array.isArray(value))
    return `[ ${value.map((part) => (typeof part === 'string' ? `'${part}'` : part)).join(', ')} ]`;
  return String(value);
}
