import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

// pnpm bench table [FILE…]: tables of what pnpm bench record measured, of all machines or of the files that are named. A cell is
// empty where nobody measured. What was measured on GPUs is in the table.md of their folders.

interface Row {
  readonly [name: string]: unknown;
}

interface ResultFile {
  readonly schema: string;
  readonly machine?: {
    readonly cpu: string;
    readonly cores: number;
    readonly versions: { readonly [part: string]: string };
  };
  readonly rows: readonly Row[];
}

const SCHEMA = 'cambium-record/1';
const named = process.argv.slice(2);
const paths =
  named.length > 0
    ? named
    : readdirSync(import.meta.dirname)
        .map((name) => join(import.meta.dirname, name, 'record.json'))
        .filter((path) => existsSync(path))
        .sort();
if (paths.length === 0)
  console.error('There is no result in bench/results: make one with pnpm bench record --json FILE.');

function read(path: string): ResultFile {
  const file: ResultFile = JSON.parse(readFileSync(path, 'utf8'));
  if (file.schema === SCHEMA && Array.isArray(file.rows)) return file;
  console.error(`${path}: expected ${SCHEMA}, got ${file.schema}.`);
  return process.exit(2);
}

function print(path: string, { machine, rows }: ResultFile): void {
  const versions = Object.entries(machine?.versions ?? {}).map(([part, version]) => `${part} ${version}`);
  const about = machine ? `: ${machine.cpu}, ${machine.cores} logical cores; ${versions.join(', ')}` : '';
  console.log(`${relative('.', path)}${about}\n`);
  const kinds = Map.groupBy(rows, ({ kind }) => (kind === 'host' || kind === 'flat' ? kind : 'form'));
  for (const [kind, own] of kinds) {
    const columns = COLUMNS[kind].filter(([, field]) =>
      own.some((row) => row[field] !== undefined && row[field] !== null),
    );
    console.log(`| ${columns.map(([head]) => head).join(' | ')} |`);
    console.log(`|${columns.map(([, field]) => (typeof own[0][field] === 'string' ? '---' : '---:')).join('|')}|`);
    for (const row of own) console.log(`| ${columns.map(([, field]) => cell(row[field])).join(' | ')} |`);
    console.log('');
  }
}

function cell(value: unknown): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : '';
  if (Number.isInteger(value)) return value.toLocaleString('en');
  if (Math.abs(value) < 0.01) return value.toExponential(1);
  return value.toLocaleString('en', { maximumSignificantDigits: value >= 1000 ? 6 : 3 });
}

const COLUMNS: { readonly [kind in 'form' | 'host' | 'flat']: readonly (readonly [head: string, field: string])[] } = {
  form: [
    ['what', 'what'],
    ['precision', 'precision'],
    ['device', 'device'],
    ['batch', 'batch'],
    ['images/s', 'imagesPerSecond'],
    ['masked forwards/s', 'maskedForwardsPerSecond'],
    ['ms per map of 2,048', 'msPerMap'],
    ['from channels', 'channels'],
    ['device MB', 'deviceMemoryMB'],
    ['largest difference', 'largestDifference'],
  ],
  host: [
    ['what', 'what'],
    ['precision', 'precision'],
    ['ms per batch', 'msPerBatch'],
    ['CPU ms per batch', 'cpuMsPerBatch'],
    ['ms of the first batch', 'msFirstBatch'],
    ['ms per map beside batches', 'msBesideBatches'],
  ],
  flat: [
    ['what', 'what'],
    ['precision', 'precision'],
    ['device', 'device'],
    ['maps', 'maps'],
    ['channels', 'channels'],
    ['ms, first tenth', 'msFirst'],
    ['ms, last tenth', 'msLast'],
    ['RSS MB, first', 'rssFirstMB'],
    ['RSS MB, last', 'rssLastMB'],
  ],
};

for (const path of paths) print(path, read(path));
