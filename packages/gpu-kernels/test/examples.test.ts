import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeGpu } from './support/describe-gpu.ts';

const enlarged = [
  '0.0000  0.0625  0.1875  0.2500',
  '0.1250  0.2031  0.3594  0.4375',
  '0.3750  0.4844  0.7031  0.8125',
  '0.5000  0.6250  0.8750  1.0000',
];
const scores = 'scores 0.46 0.45 0.44 0.44 0.44 0.40 0.36 0.36 0.36 0.28 0.21 0.21 0.21 0.11 0.00 0.00 0.00';

test('examples/node/upsample.ts says where it computes, or why not on a GPU', async () => {
  const lines = await play('upsample');
  expect(lines.slice(-4)).toEqual(enlarged);
  expect(lines.slice(0, -4).join('\n')).toMatch(/^(On .+|(Not on .+: .+\n)+In plain loops)$/);
});

test('examples/node/occlusion.ts watches a score fall', async () => {
  const lines = await play('occlusion');
  expect(lines.at(-1)).toBe(scores);
  expect(lines).toContain('15 of 17 variants');
});

describeGpu('with a software adapter where it is asked for', ({ open }) => {
  test.each([
    ['upsample', enlarged],
    ['occlusion', [scores]],
  ])('examples/node/%s.ts prints the same', async (name, last) => {
    using opened = await open();
    if (!opened.software) return; // a machine whose own GPU is tested, by the tests above
    const lines = await play(name, 'software');
    expect(lines.slice(-last.length)).toEqual(last);
    expect(lines[0]).toMatch(name === 'upsample' ? /^On .+, in software$/ : /^5 of 17 variants$/);
  });
});

/** The lines that an example prints. */
async function play(name: string, ...parameters: string[]): Promise<readonly string[]> {
  const script = fileURLToPath(new URL(`../examples/node/${name}.ts`, import.meta.url));
  const { VK_DRIVER_FILES, LD_LIBRARY_PATH } = process.env;
  // the driver of the tests brings the loader that a system may lack
  const libraries = [LD_LIBRARY_PATH, VK_DRIVER_FILES && dirname(VK_DRIVER_FILES)].filter(Boolean).join(':');
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', script, ...parameters], {
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
    timeout: 30_000,
  });
  return stdout.trim().split('\n');
}
