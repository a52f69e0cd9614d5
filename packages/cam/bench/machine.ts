import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, platform, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** What numbers of a benchmark depend on beside the code. */
export interface Machine {
  readonly cpu: string;
  /** Logical. */
  readonly cores: number;
  /** 10⁹ bytes. */
  readonly memoryGB: number;
  readonly system: string;
  readonly versions: { readonly [part: string]: string };
  /** Of the checkout; `+` where it had changes. */
  readonly commit: string | null;
}

/** Describes this machine and what runs on it. */
export function describeMachine(): Machine {
  return {
    cpu: cpus()[0].model.trim(),
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 1e9),
    system: `${platform()} ${release()}`,
    versions: {
      cambium: versionIn(join(import.meta.dirname, '..')),
      node: process.versions.node,
      onnxruntime: versionOf('onnxruntime-node'),
      webgpu: versionOf('webgpu'),
    },
    commit: commitOf(),
  };
}

/** Version of a package, `not installed` where it is not. */
export function versionOf(name: string): string {
  try {
    let folder = dirname(createRequire(import.meta.url).resolve(name));
    while (!folder.endsWith(name)) folder = dirname(folder);
    return versionIn(folder);
  } catch {
    return 'not installed';
  }
}

function versionIn(folder: string): string {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

function commitOf(): string | null {
  const git = (...words: string[]) => execFileSync('git', words, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') ? '+' : ''}`;
  } catch {
    return null; // not a checkout
  }
}
