import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** Versions of what a result depends on. */
export interface Versions {
  readonly cambium: string;
  readonly onnxruntime: string;
}

/** The versions of this command and of the ONNX Runtime that `@cambium/cam` uses. */
export function versions(): Versions {
  read ??= readVersions();
  return read;
}

let read: Versions | undefined; // every key of a study holds them

function readVersions(): Versions {
  const cam = createRequire(import.meta.resolve('@cambium/cam'));
  return { cambium: cambiumVersion(), onnxruntime: packageVersion(dirname(dirname(cam.resolve('onnxruntime-node')))) };
}

/** Version of this command, from its package. */
export function cambiumVersion(): string {
  return packageVersion(dirname(import.meta.dirname));
}

function packageVersion(folder: string): string {
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
    .version;
}
