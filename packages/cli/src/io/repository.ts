import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The checkout that this file runs from: the nearest folder above that holds `models/manifest.json`; undefined when the
 * command was installed as a package, which carries no model.
 */
export function repositoryRoot(): string | undefined {
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, 'models', 'manifest.json'))) return folder;
  }
  return undefined;
}
