import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import * as cam from '@cambium/cam';
import * as kernels from '@cambium/gpu-kernels';
import * as metrics from '@cambium/metrics';
import { expect, test, vi } from 'vitest';
import { suiteSchema } from '../src/study/suite.ts';
import { root } from './support/run-cambium.ts';

const docs = join(root, 'docs');
const pages = readdirSync(docs).filter((name) => name.endsWith('.md'));
const textOf = (page: string) => readFileSync(join(docs, page), 'utf8');
const blocks = (kind: string) =>
  pages.flatMap((page) =>
    [...textOf(page).matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code]) => [
      page,
      code,
    ]),
  );

test.each(blocks('ts'))('an example of %s runs as it stands and prints what it says', async (_, code) => {
  const printed: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((...values) => void printed.push(values.join(' ')));
  await runExample(code);
  log.mockRestore();
  expect(printed).toEqual([...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text));
  expect(printed.length).toBeGreaterThan(0);
});

test.each(blocks('json'))('a suite in %s is one that the command takes', (_, text) => {
  expect(suiteSchema.safeParse(JSON.parse(text)).error).toBeUndefined();
});

test('every link of the docs leads to a file, and to a heading in it', () => {
  for (const page of pages) {
    for (const [, target] of textOf(page).matchAll(/\]\(([^)]+)\)/g)) {
      const [file, heading] = target.split('#');
      if (/^https?:/.test(target)) continue;
      const text = readFileSync(join(docs, file === '' ? page : file), 'utf8');
      if (heading !== undefined) expect(headings(text), `${page} → ${target}`).toContain(heading);
    }
  }
});

test('the command lines of the docs use flags that there are', async () => {
  const { buildProgram } = await import('../src/program.ts');
  const program = buildProgram({} as Parameters<typeof buildProgram>[0], () => undefined); // nothing is run
  const lines = pages.flatMap((page) => [...textOf(page).matchAll(/\bcambium ([a-z]+)((?:[^\n`#]|\\\n)*)/g)]);
  expect(lines.length).toBeGreaterThan(20);
  for (const [line, name, rest] of lines) {
    const command = program.commands.find((known) => known.name() === name);
    if (!command) continue; // "cambium" in a sentence
    const known = command.options.flatMap(({ long, short }) => [long, short]);
    for (const [flag] of rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) expect(known, line).toContain(flag);
  }
});

function headings(text: string): string[] {
  const lines = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title.toLowerCase());
  return lines.map((title) => title.replace(/[^\p{L}\p{N} -]/gu, '').replaceAll(' ', '-'));
}

async function runExample(code: string): Promise<void> {
  const libraries = { cam, metrics, 'gpu-kernels': kernels };
  const body = stripTypeScriptTypes(code).replace(
    /^import \{(.*)\} from '@cambium\/(.*)';$/gm,
    (_, names: string, library: string) => `const {${names}} = libraries['${library}'];`,
  );
  const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (all: object) => Promise<void>; // its one signature here
  await new AsyncFunction('libraries', body)(libraries);
}
