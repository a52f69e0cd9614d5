import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tinyNetworks } from '../packages/cam/test/support/tiny-nets.ts';

// node --conditions=source scripts/make-networks.ts: writes the tests' tiny networks to test-fixtures/networks.
const folder = join(import.meta.dirname, '..', 'test-fixtures', 'networks');
await mkdir(folder, { recursive: true });
for (const [name, bytes] of Object.entries(tinyNetworks)) await writeFile(join(folder, name), bytes());
