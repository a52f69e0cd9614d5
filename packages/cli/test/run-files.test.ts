import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openJournal } from '../src/study/journal.ts';
import { lockRun } from '../src/study/lock.ts';
import { openRows, readRows } from '../src/study/rows.ts';
import { runCambium, runCambiumLimited, temporaryFolder } from './support/run-cambium.ts';
import { linesOf, scoresOf } from './support/run-rows.ts';
import { writeTinyStudy } from './support/tiny-study.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const key = (digit: number) => String(digit).repeat(32);
const numbers = (...values: number[]) => Float32Array.from(values);

test('a journal gives back what was put in, from another process too, and tells each cost once', () => {
  const path = join(folder, 'journal.bin');
  {
    using journal = openJournal(path);
    journal.add([
      { key: key(1), cost: 1, numbers: numbers(0.1, -2) },
      { key: key(2), cost: 3, numbers: numbers() },
    ]);
    journal.settle();
    journal.add([{ key: key(3), cost: 5, numbers: numbers(7) }]);
    expect(journal.find(key(3))).toEqual({ numbers: numbers(7), untold: 0 });
  }
  using journal = openJournal(path);
  expect(journal.find(key(1))).toEqual({ numbers: numbers(0.1, -2), untold: 0 });
  expect(journal.find(key(3))).toEqual({ numbers: numbers(7), untold: 5 });
  expect(journal.find(key(3))?.untold).toBe(0);
  expect(journal.find(key(4))).toBeUndefined();
});

test('a journal torn at any byte keeps the records before, and goes on behind them', () => {
  const path = join(folder, 'torn.bin');
  const records = [1, 2, 3].map((digit) => ({ key: key(digit), cost: 1, numbers: numbers(digit, digit) }));
  const size = 28 + 8;
  for (let cut = 2 * size; cut < 3 * size; cut++) {
    rmSync(path, { force: true });
    {
      using journal = openJournal(path);
      journal.add(records);
    }
    truncateSync(path, cut);
    using journal = openJournal(path);
    expect(journal.find(key(2))?.numbers).toEqual(numbers(2, 2));
    expect(journal.find(key(3))).toBeUndefined();
    journal.add([records[2]]);
    expect(journal.find(key(3))?.numbers).toEqual(numbers(3, 3));
  }
});

test('a journal record whose numbers were damaged is not believed', () => {
  const path = join(folder, 'damaged.bin');
  {
    using journal = openJournal(path);
    journal.add([{ key: key(1), cost: 1, numbers: numbers(1, 2) }]);
  }
  const bytes = readFileSync(path);
  bytes[30] ^= 1;
  writeFileSync(path, bytes);
  using journal = openJournal(path);
  expect(journal.find(key(1))).toBeUndefined();
});

test('rows torn off in the middle of a letter of several bytes are cut at the line before', () => {
  const schema = z.object({ key: z.string(), name: z.string() });
  const path = join(folder, 'rows.jsonl');
  {
    using rows = openRows<z.infer<typeof schema>>(path);
    rows.append({ key: 'a', name: 'ü' });
  }
  appendFileSync(path, Buffer.from('{"key":"b","name":"ü').subarray(0, -1));
  expect(readRows(path, schema)).toEqual({ rows: [{ key: 'a', name: 'ü' }], damaged: 0 });
  {
    using rows = openRows<z.infer<typeof schema>>(path);
    rows.append({ key: 'a', name: 'again' });
  }
  expect(readFileSync(path, 'utf8')).toBe('{"key":"a","name":"ü"}\n{"key":"a","name":"again"}\n');
  expect(readRows(path, schema).rows).toEqual([{ key: 'a', name: 'again' }]);
});

test('a lock holds against a living process and not against a dead one, nor one whose number was given away', async () => {
  const path = join(folder, 'run.lock');
  {
    using _ = lockRun(folder);
    expect(() => lockRun(folder)).toThrow(`is being written by process ${process.pid} on ${hostname()}`);
  }
  expect(existsSync(path)).toBe(false);
  const child = spawn(process.execPath, ['-e', '']);
  await new Promise((resolve) => child.once('exit', resolve));
  const holder = { pid: child.pid, host: hostname(), started: '2026-01-01T00:00:00.000Z', born: '' };
  writeFileSync(path, JSON.stringify(holder));
  lockRun(folder)[Symbol.dispose]();
  writeFileSync(path, JSON.stringify({ ...holder, pid: process.pid, born: '1' }));
  lockRun(folder)[Symbol.dispose]();
  writeFileSync(path, JSON.stringify({ ...holder, host: 'another' }));
  expect(() => lockRun(folder)).toThrow('on another'); // written just now, so its process may live
});

test.skipIf(process.platform === 'win32')('of a line that the disk has no room for nothing stays', () => {
  const path = join(folder, 'limited.jsonl');
  const source = JSON.stringify(join(import.meta.dirname, '..', 'src', 'study', 'rows.ts'));
  const script = `
    const { openRows } = await import(${source});
    const rows = openRows(${JSON.stringify(path)});
    try { for (let index = 0; ; index++) rows.append({ key: String(index), text: 'x'.repeat(300) }); }
    catch (error) { console.log(error.name); }`;
  // a limit of two blocks of 512 bytes stands in for the full disk: the fourth line would be cut in its middle
  const command = 'ulimit -f 2; exec "$0" --conditions=source --input-type=module -e "$1"';
  const { stdout, stderr } = spawnSync('sh', ['-c', command, process.execPath, script], { encoding: 'utf8' });
  expect(stdout, stderr).toBe('StorageError\n');
  const text = readFileSync(path, 'utf8');
  expect([text.endsWith('}\n'), text.split('\n').length - 1]).toEqual([true, 3]);
});

test.skipIf(process.platform === 'win32')(
  'a disk that is full ends the run with a clear message, and with room it goes on to the same values',
  async () => {
    const study = temporaryFolder();
    const suite = await writeTinyStudy(study);
    const whole = join(study, 'whole');
    await runCambium('run', '--no-report', suite, '-o', whole, '-q');
    const out = join(study, 'full');
    // a limit on the size of files stands in for the full disk: the rows outgrow it
    const limited = await runCambiumLimited(40, 'run', '--no-report', suite, '-o', out);
    expect(limited.code).toBe(1);
    expect(limited.errors).toMatch(
      /cannot be written: the file may not grow further\. Every finished cell is kept; make room/,
    );
    expect(readFileSync(join(out, 'results.jsonl'), 'utf8')).toMatch(/\n$/);
    expect(linesOf(out).length).toBeGreaterThan(10);
    expect((await runCambium('run', '--no-report', suite, '-o', out, '-q')).code).toBe(0);
    expect(scoresOf(out)).toEqual(scoresOf(whole));
    rmSync(study, { recursive: true });
  },
);
