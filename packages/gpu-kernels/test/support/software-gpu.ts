import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { type DeviceOptions, type OpenedDevice, openDevice } from '../../src/index.ts';

/**
 * A GPU for tests on any machine: SwiftShader's Vulkan driver from the npm package `@sparticuz/chromium`, on Linux x64.
 * Elsewhere, and with CAMBIUM_TEST_GPU=hardware, the machine's own GPU.
 *
 * Drivers that VK_DRIVER_FILES or VK_ICD_FILENAMES already name are left as they are.
 */
export interface TestGpu {
  open(options?: DeviceOptions): Promise<OpenedDevice>;
}

/**
 * Finds a GPU, or says why there is none.
 *
 * @throws Error when there is none and CAMBIUM_REQUIRE_GPU is 1
 */
export async function findTestGpu(): Promise<TestGpu | { readonly missing: string }> {
  const reasons: string[] = [];
  const kinds =
    process.env.CAMBIUM_TEST_GPU === 'hardware' ? (['hardware'] as const) : (['software', 'hardware'] as const);
  for (const prefer of kinds) {
    try {
      if (prefer === 'software') selectSoftwareDriver();
      const open = (options: DeviceOptions = {}) => openDevice({ prefer, ...options });
      (await open()).close();
      return { open };
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  const missing = `no GPU for this test: ${reasons.join(' ')}`;
  if (process.env.CAMBIUM_REQUIRE_GPU === '1') throw new Error(missing);
  return { missing };
}

/**
 * Points Vulkan at SwiftShader. Works on the main thread, before the first adapter is requested.
 *
 * @throws Error where the package has no driver for the machine
 */
export function selectSoftwareDriver(): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`@sparticuz/chromium has no Vulkan driver for ${process.platform} on ${process.arch}.`);
  }
  const hasLoader = hasVulkanLoader('libvulkan.so.1');
  const hasDriver = Boolean(process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES);
  if (hasLoader && hasDriver) return; // nothing of the package is needed
  const folder = unpackDriver();
  if (!hasLoader) hasVulkanLoader(join(folder, 'libvulkan.so.1'));
  if (hasDriver) return;
  process.env.VK_DRIVER_FILES = join(folder, 'vk_swiftshader_icd.json');
  process.env.VK_ICD_FILENAMES = process.env.VK_DRIVER_FILES; // the name that older loaders read
}

/** Unpacks the driver once into a cache folder, which it returns. */
function unpackDriver(): string {
  const root = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const cache = fileURLToPath(new URL('../../../../node_modules/.cache/cambium', import.meta.url));
  const folder = join(cache, `swiftshader-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const fresh = mkdtempSync(join(cache, 'unpacking-'));
  const archive = brotliDecompressSync(readFileSync(join(root, 'bin', 'swiftshader.tar.br')));
  for (const [name, bytes] of tarFiles(archive)) writeFileSync(join(fresh, name), bytes);
  try {
    renameSync(fresh, folder); // at once, so that no other process sees half a folder
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(fresh, { recursive: true }); // another process was faster
  }
  return folder;
}

/** Files of a flat tar archive: a header of 512 bytes with the name and the octal size, then the bytes, padded to 512. */
function* tarFiles(archive: Buffer): Generator<readonly [name: string, bytes: Buffer]> {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const name = archive.toString('latin1', at, at + 100).split('\0')[0];
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8);
    yield [name, archive.subarray(at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/**
 * Loads a Vulkan loader for good, so that Dawn finds it by its name. Node refuses the library, as it is no addon, but by
 * then it is resident.
 */
function hasVulkanLoader(path: string): boolean {
  const KEEP = 0x1000; // RTLD_NODELETE
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | KEEP);
  } catch (error) {
    return !(error instanceof Error && error.message.includes('cannot open shared object file'));
  }
  return true;
}
