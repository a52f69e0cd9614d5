import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checks } from './checks.ts';

const README = join(import.meta.dirname, '..', 'packages', 'metrics', 'README.md');

/**
 * Checks the tarball of `@cambium/metrics` for a user who wants nothing else: it is installed into an empty project with the
 * tensors it is given, brings no runtime, GPU or image library, and the first example of its README says what it says there.
 *
 * @param tarballs of all packages, by name
 * @param folder where the project is made
 */
export async function checkMetricsAlone(
  tarballs: ReadonlyMap<string, string>,
  folder: string,
  checks: Checks,
): Promise<void> {
  const project = join(folder, 'metrics-alone');
  await mkdir(project);
  const names = ['@cambium/gpu-kernels', '@cambium/metrics'];
  const dependencies = Object.fromEntries(names.map((name) => [name, `file:${tarballs.get(name)}`]));
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  const workspace = { packages: ['.'], overrides: dependencies }; // JSON is YAML
  await writeFile(join(project, 'pnpm-workspace.yaml'), JSON.stringify(workspace));
  const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(await readFile(README, 'utf8')) ?? [];
  await writeFile(join(project, 'example.ts'), example);
  const installed = checks.run({
    title: 'install @cambium/metrics alone',
    command: 'pnpm',
    parameters: ['install', '--ignore-scripts'],
    directory: project,
  });
  if (!installed) return;
  const store = await readdir(join(project, 'node_modules', '.pnpm'));
  const heavy = store.filter((name) => /onnxruntime|sharp|webgpu/.test(name));
  checks.expect('it brings neither onnxruntime-node nor webgpu nor sharp', heavy.join(', '));
  checks.run({
    title: "the README's first example says what it says there",
    command: process.execPath,
    parameters: ['example.ts'],
    directory: project,
    prints: `${[...example.matchAll(/; \/\/ (.*)/g)].map(([, line]) => line).join('\n')}\n`,
  });
}
