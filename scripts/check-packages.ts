import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkMetricsAlone } from './check-metrics-alone.ts';
import { checkStandalone } from './check-standalone.ts';
import { startChecks } from './checks.ts';

/**
 * Checks the four packages as a user would receive them. Needs a build first (`pnpm build`) and pnpm on the path.
 *
 * Each package is packed, and its tarball read by publint and, where it exports types, by attw. Then all tarballs are
 * installed together into an empty project outside this repository, which imports each library and runs the command; and
 * `@cambium/gpu-kernels` alone into another, for Node and for the browser, and `@cambium/metrics` with it into a third.
 *
 *     pnpm build && pnpm packages
 */
interface PackedPackage {
  readonly name: string;
  readonly tarball: string;
  /** False for a package that is only a command. */
  readonly isLibrary: boolean;
}

/** The thread's program is a file of its own in the package. */
const IN_A_THREAD = `
  import { loadModel, ortClassifier } from '@cambium/cam';
  import { zeros } from '@cambium/gpu-kernels';
  const graph = await loadModel('${join(import.meta.dirname, '..', 'models', 'resnet50-textures10.onnx')}');
  await using classifier = ortClassifier(graph, { thread: 'own' });
  const { shape } = await classifier.predict(zeros(1, 3, 224, 224));
  if (shape.join() !== '1,10') throw new Error(shape.join());`;

const ROOT = join(import.meta.dirname, '..');
const checks = startChecks();
const folder = await mkdtemp(join(tmpdir(), 'cambium-packages-'));
try {
  const packages = await packAll();
  for (const packed of packages) checkTarball(packed);
  await checkInstallation(packages);
  for (const { name, tarball } of packages) {
    if (name === '@cambium/gpu-kernels') await checkStandalone(tarball, folder, checks);
  }
  await checkMetricsAlone(new Map(packages.map(({ name, tarball }) => [name, tarball])), folder, checks);
} finally {
  await rm(folder, { recursive: true });
}
const { failures } = checks;
console.log(failures.length === 0 ? 'All package checks passed.' : `Failed: ${failures.join(', ')}.`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function packAll(): Promise<PackedPackage[]> {
  const packages = [];
  for (const directory of await readdir(join(ROOT, 'packages'))) {
    const source = join(ROOT, 'packages', directory);
    const { name, exports } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
    const tarball = join(folder, `${directory}.tgz`);
    check(`pack ${name}`, 'pnpm', ['pack', '--out', tarball], source);
    packages.push({ name, tarball, isLibrary: exports !== undefined });
  }
  return packages;
}

function checkTarball({ name, tarball, isLibrary }: PackedPackage): void {
  check(`publint ${name}`, 'publint', ['run', tarball, '--strict'], ROOT);
  if (isLibrary) check(`attw ${name}`, 'attw', [tarball, '--profile', 'esm-only', '--no-emoji'], ROOT);
}

async function checkInstallation(packages: readonly PackedPackage[]): Promise<void> {
  const tarballs = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: tarballs }),
  );
  // JSON is YAML; the overrides make the packages find each other here and not in the registry
  await writeFile(join(folder, 'pnpm-workspace.yaml'), JSON.stringify({ packages: ['.'], overrides: tarballs }));
  check('install the tarballs', 'pnpm', ['install', '--ignore-scripts'], folder);
  for (const { name, isLibrary } of packages) {
    if (isLibrary) check(`import ${name}`, 'node', ['--eval', `await import('${name}')`], folder);
  }
  check('classify in a thread', 'node', ['--input-type=module', '--eval', IN_A_THREAD], folder);
  check('run cambium', join(folder, 'node_modules', '.bin', 'cambium'), ['list', 'methods'], folder);
}

function check(title: string, command: string, parameters: readonly string[], directory: string): void {
  checks.run({ title, command, parameters, directory });
}
