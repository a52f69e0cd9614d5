import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { type AnyMetric, metrics } from '../src/index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

// The examples run as they stand, and what they print is what their comments say.
test.each(examples.map((code, index) => [index + 1, code] as const))(
  'example %i prints what it says',
  async (_, code) => {
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values) => void printed.push(values.join(' ')));
    await runExample(code);
    log.mockRestore();
    const promised = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text]) => text);
    const listed = [...code.matchAll(/^\/\/ → (.*)$/gm)].map(([, text]) => text);
    expect(printed).toEqual([...promised, ...listed]);
    expect(printed.length).toBeGreaterThan(0);
  },
);

test('the table has every metric with its category, direction, cost and source, and no other', () => {
  const table = readme.slice(readme.indexOf('## Metrics'));
  const lines = table.split('\n').filter((line) => /^\| `[a-z0-9-]+` \| [a-z]+ \| (higher|lower) \|/.test(line));
  const expected = Object.entries<AnyMetric>(metrics).map(
    ([name, metric]) =>
      `| \`${name}\` | ${metric.category} | ${metric.better} | ${costOf(metric)} | ${metric.source} |`,
  );
  expect(lines).toEqual(expected);
});

test('the number of metrics is the one in words', () => {
  expect(Object.keys(metrics)).toHaveLength(34);
  expect(readme).toContain('Thirty-four scores');
});

function costOf(metric: AnyMetric): string {
  const { forwards, explanations, shared } = metric.cost(metric.defaults, [3, 224, 224]);
  const once = Object.values(shared).reduce((sum, count) => sum + count, 0);
  const parts = [
    forwards > 0 && `${whole(forwards)} F`,
    explanations > 0 && `${whole(explanations)} E${metric.needs.includes('randomise') ? '\\*' : ''}`,
    once > 0 && `${whole(once)} F shared`,
  ];
  return parts.filter(Boolean).join(' + ') || 'none';
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}

async function runExample(code: string): Promise<void> {
  const { stripTypeScriptTypes } = await import('node:module');
  const libraries = { metrics: await import('../src/index.ts'), 'gpu-kernels': await import('@cambium/gpu-kernels') };
  const body = stripTypeScriptTypes(code).replace(
    /^import \{(.*)\} from '@cambium\/(.*)';$/gm,
    (_, names: string, library: string) => `const {${names}} = libraries['${library}'];`,
  );
  const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (all: object) => Promise<void>; // its one signature here
  await new AsyncFunction('libraries', body)(libraries);
}
