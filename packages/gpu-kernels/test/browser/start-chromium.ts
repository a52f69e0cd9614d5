import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

/**
 * Starts the headless Chromium of the npm package `@sparticuz/chromium`, with SwiftShader as its only WebGPU adapter.
 *
 * Nothing of it is installed: the first call unpacks 210 MB into a cache folder, the libraries and the font that the browser
 * needs included. Linux x64 only. Whoever starts the browser closes it.
 *
 * @throws Error where the package has no browser for the machine
 */
export async function startChromium(): Promise<Browser> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`@sparticuz/chromium has no browser for ${process.platform} on ${process.arch}; use Linux x64.`);
  }
  const folder = unpackChromium();
  const libraries = [join(folder, 'al2023', 'lib'), process.env.LD_LIBRARY_PATH];
  return chromium.launch({
    executablePath: join(folder, 'chromium'),
    args: [
      '--no-sandbox', // containers forbid the sandbox; every page is our own
      '--enable-unsafe-webgpu', // Chromium on Linux hides software adapters otherwise
      '--use-webgpu-adapter=swiftshader',
    ],
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraries.filter(Boolean).join(':'),
      FONTCONFIG_PATH: join(folder, 'fonts'),
    },
  });
}

/** Unpacks the browser once into a cache folder, which it returns. */
function unpackChromium(): string {
  const root = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const cache = fileURLToPath(new URL('../../../../node_modules/.cache/cambium', import.meta.url));
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'unpacking-'));
  unpackInto(fresh);
  writeFileSync(join(fresh, 'fonts', 'fonts.conf'), `<fontconfig><dir>${join(folder, 'fonts')}</dir></fontconfig>`);
  try {
    renameSync(fresh, folder); // at once, so that no other process sees half a folder
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(fresh, { recursive: true }); // another process was faster
  }
  return folder;
}

/** The package unpacks into the folder for temporary files, and its libraries only where it believes to be on AWS Lambda. */
function unpackInto(folder: string): void {
  const script = `import chromium from '@sparticuz/chromium'; await chromium.executablePath();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: dirname(fileURLToPath(import.meta.url)), // from where the package is found
    env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' },
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`@sparticuz/chromium could not be unpacked into ${folder}: ${stderr}`);
}
