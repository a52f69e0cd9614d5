import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../src/io/sha256.ts';
import { reportRuns } from '../src/report/report-runs.ts';
import type { ResultRow } from '../src/study/records.ts';
import { temporaryFolder } from './support/run-cambium.ts';
import { type SyntheticRun, writeSyntheticRun } from './support/synthetic-run.ts';

const SMALL = { images: ['bubbly', 'knitted', 'lined'], methods: ['grad-cam', 'score-cam', 'random-cam'] } as const;

async function reportOf(wishes: SyntheticRun): Promise<{ folder: string; page: string }> {
  const folder = temporaryFolder();
  await writeSyntheticRun(folder, wishes);
  const { path } = await reportRuns([folder]);
  return { folder, page: readFileSync(path, 'utf8') };
}

test('layers are compared, and drawn, only under criteria that have scores', async () => {
  const lacking = (row: ResultRow) =>
    row.metric === 'non-sensitivity' ? { ...row, value: null, reason: 'none' } : row;
  const { folder, page } = await reportOf({ ...SMALL, change: lacking });
  expect(page).toMatch(/Of 12 comparisons of a technique under a criterion/); // three techniques under four criteria
  const drawn = readdirSync(join(folder, 'charts')).filter((name) => /^layers?-.*\.svg$/.test(name));
  expect(drawn).toHaveLength(4);
});

describe('the page of a report', () => {
  let folder = '';
  let page = '';
  beforeAll(async () => {
    ({ folder, page } = await reportOf(SMALL));
  });

  test('has a header and twelve numbered sections in their order', () => {
    const found = [...page.matchAll(/<section id="([a-z]+)"/g)].map(([, id]) => id);
    expect(found).toEqual(
      'figures ranks radar scores significance curves layers agreement cost images checks provenance'.split(' '),
    );
    expect(page.includes('A made-up study')).toBe(true);
    expect(page.includes('complete: 90 cells')).toBe(true);
  });

  test('asks for nothing outside of itself', () => {
    const outside = [...page.matchAll(/\b(?:src|href)="([^"#]*)"/g)].map(([, address]) => address);
    expect(outside.filter((address) => !/^(data:|charts\/)/.test(address))).toEqual([]);
    expect(/url\((?!data:|#)/.exec(page)?.[0]).toBeUndefined();
    expect(page.includes("default-src 'none'")).toBe(true);
  });

  test('describes every picture in words', () => {
    const pictures = page.match(/<svg[^>]*role="img"[^>]*>/g) ?? [];
    expect(pictures.length).toBeGreaterThan(60);
    expect(pictures.filter((picture) => !/aria-label="[^"]{5,}"/.test(picture))).toEqual([]);
  });

  test('gives each chart a file as SVG, specification and CSV, and each table as CSV and Markdown', () => {
    const charts = [...page.matchAll(/data-chart="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(charts).size).toBe(charts.length);
    for (const id of charts) {
      expect(readFileSync(join(folder, 'charts', `${id}.svg`), 'utf8')).toMatch(/^<svg/);
      expect(readFileSync(join(folder, 'charts', `${id}.csv`), 'utf8').split('\r\n').length).toBeGreaterThan(2);
      expect(['vl', 'vg'].some((kind) => existsSync(join(folder, 'charts', `${id}.${kind}.json`)))).toBe(true);
    }
    const tables = readdirSync(join(folder, 'tables')).sort();
    expect(tables).toContain('scores.csv');
    expect(tables).toContain('ranks.md');
    expect(tables.filter((name) => name.endsWith('.csv')).length).toBe(tables.length / 2);
  });

  test('draws charts in the colours of the page and saves them in those of paper', () => {
    const drawing = /<div class="drawing">(.*?)<\/div>/s.exec(page)?.[1] ?? '';
    expect(drawing).toContain('var(--series-1)');
    expect(drawing).not.toContain('#2f6bd0');
    expect(readFileSync(join(folder, 'charts', 'radar-layer4.svg'), 'utf8')).toContain('#2f6bd0');
  });

  test('tells what of the comparison with a plain loop is counted, measured and reckoned', () => {
    const [, table] = /<h3>Against a plain loop<\/h3>(.*?)<\/table>/s.exec(page) ?? ['', ''];
    const rows = [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => row.replace(/<[^>]+>/g, ' ').trim());
    expect(rows[1]).toMatch(/^Images classified \(counted\) +[\d,]+ +[\d,]+ +[\d.]+×$/);
    expect(rows[2]).toMatch(/^Seconds for a masked image \(measured\) +0\.05 s +0\.04 s +1\.3×$/);
    expect(rows[3]).toMatch(/^Seconds in all \(the loop’s reckoned\) .* 10 min 40 s +[\d.]+×$/);
  });

  test('tells what device and precision do to the order of the techniques', () => {
    const [, table] = /<h3>What device and precision do(.*?)<\/table>/s.exec(page) ?? ['', ''];
    expect(table).toContain('3 of 3 places are others than ONNX Runtime gives in float32');
    const rows = [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) => row.replace(/<[^>]+>/g, ' ').trim());
    expect(rows.at(-1)).toMatch(/Relevance-CAM +Region perturbation +0\.1000 +– +3 +–$/);
  });

  test('is the same for the same run', async () => {
    const again = await reportOf(SMALL);
    expect(digest(again.page.replaceAll(again.folder, ''))).toBe(digest(page.replaceAll(folder, '')));
  });
});

const digest = (text: string) => sha256(Buffer.from(text));

test('words of labels, names and paths stay words', async () => {
  const words = `</script><script>hacked=1</script><img src=x onerror="hacked=1">'"&\u2028\${x}`;
  const { folder, page } = await reportOf({ ...SMALL, images: ['bubbly'], words });
  expect(page.includes('<script>hacked')).toBe(false);
  expect(page.includes('<img')).toBe(false);
  expect(/<[^>]*\sonerror=[^>]*>/.exec(page)?.[0]).toBeUndefined();
  expect([...page.matchAll(/<script/g)].length).toBe(2);
  for (const name of readdirSync(join(folder, 'charts')).filter((file) => file.endsWith('.svg'))) {
    expect(readFileSync(join(folder, 'charts', name), 'utf8'), name).not.toMatch(/<(script|img)/);
  }
});

test('cells that failed, have no score or are not run are told apart', async () => {
  const { page } = await reportOf({
    ...SMALL,
    change: (row, index) => {
      if (index === 0) return { ...row, value: null, error: 'the network is gone' };
      if (index === 1) return { ...row, value: null, reason: 'the map is constant' };
      return index === 2 ? undefined : row;
    },
  });
  expect(page.includes('88 of 90 cells done, 1 failed')).toBe(true);
  expect(page.includes('title="the network is gone"')).toBe(true);
  expect(page.includes('title="the map is constant"')).toBe(true);
  expect(page.includes('not run yet')).toBe(true);
});

test('one image, one technique and one layer still make a report', async () => {
  const { page } = await reportOf({ images: ['bubbly'], methods: ['grad-cam'], layers: ['layer4'] });
  expect(page.includes('With one image or one technique nothing can be tested.')).toBe(true);
  expect(page.includes('The suite has one layer')).toBe(true);
});

test('a run without a single row says so', async () => {
  const { page } = await reportOf({ ...SMALL, change: () => undefined });
  expect(page.includes('No cell has a score yet.')).toBe(true);
  expect(page.includes('0 of 90 cells done')).toBe(true);
});
