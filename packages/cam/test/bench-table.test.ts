import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../../bench/results/table.ts', import.meta.url));
const file = join(mkdtempSync(join(tmpdir(), 'cambium-table-')), 'record.json');
const machine = { cpu: 'A processor', cores: 2, versions: { node: '24.21.0' } };
const form = { kind: 'form', what: 'ONNX Runtime, CPU', device: 'onnxruntime cpu', precision: 'f32', batch: 16 };

function tableOf(content: object): string {
  writeFileSync(file, JSON.stringify(content));
  return execFileSync(process.execPath, [script, file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

test('rows of one kind make a table, and what nobody measured is no column', () => {
  const rows = [
    { ...form, imagesPerSecond: 25.123, msPerMap: null, largestDifference: 1.2e-7 },
    { kind: 'flat', what: 'many maps', maps: 1000, msFirst: 12.5, msLast: 12.6 },
  ];
  const table = tableOf({ schema: 'cambium-record/1', machine, rows });
  expect(table).toContain('A processor, 2 logical cores; node 24.21.0');
  expect(table).toContain('| ONNX Runtime, CPU | f32 | onnxruntime cpu | 16 | 25.1 | 1.2e-7 |');
  expect(table).toContain('| many maps | 1,000 | 12.5 | 12.6 |');
  expect(table).not.toContain('ms per map');
});

test('a file of another kind is refused by name', () => {
  expect(() => tableOf({ schema: 'other/1', rows: [] })).toThrow(/expected cambium-record\/1, got other\/1/);
});
