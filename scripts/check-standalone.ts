import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import type { Checks } from './checks.ts';

const ROOT = join(import.meta.dirname, '..');
const EXAMPLES = join(ROOT, 'packages', 'gpu-kernels', 'examples');

/** The oldest line of Node that the packages support, as the npm package `node` has it. */
const OLDEST_NODE = '22.23.3';

/**
 * Checks the tarball of `@cambium/gpu-kernels` for a user who wants nothing else: it is installed alone into an empty
 * project, where an example runs on the oldest supported Node and Vite builds the browser's example.
 *
 * @param folder where the project is made
 */
export async function checkStandalone(tarball: string, folder: string, checks: Checks): Promise<void> {
  const project = join(folder, 'standalone');
  await cp(join(EXAMPLES, 'browser'), project, { recursive: true, filter: (path) => !path.includes('config') });
  await cp(join(EXAMPLES, 'node', 'upsample.ts'), join(project, 'upsample.ts'));
  const dependencies = { '@cambium/gpu-kernels': `file:${tarball}` };
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  await writeFile(join(project, 'pnpm-workspace.yaml'), JSON.stringify({ packages: ['.'] })); // JSON is YAML
  const installed = checks.run({
    title: 'install @cambium/gpu-kernels alone',
    command: 'pnpm',
    parameters: ['install', '--ignore-scripts'],
    directory: project,
  });
  if (!installed) return;
  const store = await readdir(join(project, 'node_modules', '.pnpm'));
  const heavy = store.filter((name) => /onnxruntime|sharp/.test(name));
  checks.expect('it brings neither onnxruntime-node nor sharp', heavy.join(', '));
  await checkOldestNode(project, folder, checks);
  await checkBundle(project, checks);
}

/** The project has no package `webgpu`, so the example has to say so and to compute in plain loops. */
async function checkOldestNode(project: string, folder: string, checks: Checks): Promise<void> {
  const node = await oldestNode(join(folder, 'oldest-node'));
  checks.run({
    title: `run a kernel from it on Node ${node ? OLDEST_NODE : `${process.versions.node}, as npm gave no ${OLDEST_NODE}`}`,
    command: node ?? process.execPath,
    parameters: ['upsample.ts'],
    directory: project,
    prints: 'In plain loops\n0.0000  0.0625  0.1875  0.2500\n',
  });
}

/** Path of the oldest supported Node, or nothing when it cannot be had. */
async function oldestNode(folder: string): Promise<string | undefined> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: { node: OLDEST_NODE } }));
  await writeFile(
    join(folder, 'pnpm-workspace.yaml'),
    JSON.stringify({ packages: ['.'], allowBuilds: { node: true } }),
  );
  const { status } = spawnSync('pnpm', ['install'], { cwd: folder });
  return status === 0 ? join(folder, 'node_modules', '.bin', 'node') : undefined;
}

async function checkBundle(project: string, checks: Checks): Promise<void> {
  const chunks = await chunksOf(project).catch((error: unknown) => String(error));
  checks.expect('build a page with it by Vite', typeof chunks === 'string' ? chunks : '');
  if (typeof chunks === 'string') return;
  const own = chunks.map(({ fileName }) => fileName);
  // Vite puts a shim of its own in place of Node's modules; what it leaves for the browser to find it lists as imports
  const shims = chunks.flatMap(({ moduleIds }) => moduleIds.filter((id) => id.includes('__vite-browser-external')));
  const left = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]);
  const foreign = left.filter((name) => !own.includes(name));
  checks.expect('the page needs no module of Node', [...shims, ...foreign].join(', '));
  const kernel = chunks.some(({ code }) => code.includes('maskImages'));
  checks.expect('the page contains the kernel', kernel ? '' : 'maskImages is not in the bundle');
}

async function chunksOf(root: string) {
  const result = await build({ root, configFile: false, logLevel: 'silent', build: { write: false } });
  const outputs = Array.isArray(result) ? result : [result];
  return outputs
    .flatMap((output) => ('output' in output ? output.output : []))
    .filter((output) => output.type === 'chunk');
}
