import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nearest } from '@cambium/cam';
import { messageOf, UsageError } from '../errors.ts';
import { reasonOf } from '../io/atomic-write.ts';
import { suites } from '../suites/index.ts';
import { type Suite, suiteSchema } from './suite.ts';
import { describeFaults } from './suite-errors.ts';

/** A suite that was found and checked for itself: its names of files and layers are not looked up yet. */
export interface LoadedSuite {
  readonly suite: Suite;
  /** How the command line names it. */
  readonly source: string;
  /** What relative paths in it begin at. */
  readonly base: string;
}

/**
 * Finds a suite: one that comes with the command, a `.json` file, or a `.ts`, `.js` or `.mjs` file that exports it as
 * default.
 *
 * @param root the checkout; paths of suites that come with the command begin there
 * @throws UsageError naming the file, the key and the fault
 */
export async function loadSuite(source: string, root: string | undefined): Promise<LoadedSuite> {
  if (Object.hasOwn(suites, source)) {
    const given = suites[source as keyof typeof suites]; // a key, as was just seen
    return { suite: check(source, given), source, base: root ?? '.' };
  }
  const kind = extname(source).toLowerCase();
  if (kind === '.json') return { suite: check(source, await readJson(source)), source, base: dirname(resolve(source)) };
  if (['.ts', '.js', '.mjs', '.mts'].includes(kind)) {
    return { suite: check(source, await importDefault(source)), source, base: dirname(resolve(source)) };
  }
  const names = nearest(source, Object.keys(suites)).join(', ');
  throw new UsageError(`There is no suite "${source}". Nearest: ${names}; or give the path of a .json or .ts file.`);
}

function check(source: string, given: unknown): Suite {
  const parsed = suiteSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = describeFaults(parsed.error, given);
  throw new UsageError(`The suite ${source} is not as it should be: ${faults}${faults.endsWith('?') ? '' : '.'}`);
}

async function readJson(source: string): Promise<unknown> {
  const text = await readFile(source, 'utf8').catch((error) => {
    throw new UsageError(`The suite ${source} cannot be read: ${reasonOf(error)}.`, { cause: error });
  });
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')); // as some editors begin a file
  } catch (error) {
    throw new UsageError(`The suite ${source} is not JSON: ${messageOf(error)}.`, { cause: error });
  }
}

async function importDefault(source: string): Promise<unknown> {
  try {
    const loaded: { readonly default?: unknown } = await import(pathToFileURL(resolve(source)).href);
    if (loaded.default !== undefined) return loaded.default;
  } catch (error) {
    throw new UsageError(`The suite ${source} cannot be loaded: ${messageOf(error)}.`, { cause: error });
  }
  throw new UsageError(`The suite ${source} exports nothing as default: write "export default { name: …, … }".`);
}
