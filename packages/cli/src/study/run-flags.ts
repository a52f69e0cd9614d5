import { UsageError } from '../errors.ts';
import { oneOf, seedNumber, wholeNumber } from '../flags.ts';
import { precisions } from '../open-classifier.ts';
import type { Shard } from './shards.ts';

/** The flags of `cambium run` and `cambium plan` as they were typed. */
export interface RunFlags {
  readonly only?: readonly string[];
  readonly images?: string;
  readonly model?: string;
  readonly limit?: string;
  readonly device: string;
  readonly precision: string;
  readonly batch: string;
  readonly shard?: string;
  readonly budget?: string;
  readonly seed?: string;
  readonly out?: string;
  readonly fresh?: true;
  readonly failFast?: true;
  readonly report?: boolean;
  readonly dryRun?: true;
  readonly json?: true;
  readonly quiet?: true;
  readonly full?: true;
}

/** The flags, read. @throws UsageError naming the flag */
export function readRunFlags(flags: RunFlags) {
  const optional = <T>(text: string | undefined, read: (text: string) => T) =>
    text === undefined ? undefined : read(text);
  return {
    only: flags.only ?? [],
    shard: optional(flags.shard, shardOf) ?? { index: 1, count: 1 },
    budget: optional(flags.budget, durationOf),
    study: {
      images: flags.images,
      model: flags.model,
      limit: optional(flags.limit, (text) => wholeNumber('--limit', text)),
      seed: optional(flags.seed, (text) => seedNumber('--seed', text)),
      precision: oneOf('precision', flags.precision, precisions),
      batch: flags.batch === 'auto' ? undefined : wholeNumber('--batch', flags.batch),
    },
  };
}

/** The arguments that do the same again, without those that only start afresh. */
export function commandLine(source: string, flags: RunFlags): string {
  const valued = [
    ['--images', flags.images],
    ['--model', flags.model],
    ['--limit', flags.limit],
    ['--device', flags.device === 'auto' ? undefined : flags.device],
    ['--precision', flags.precision === 'f32' ? undefined : flags.precision],
    ['--batch', flags.batch === 'auto' ? undefined : flags.batch],
    ['--shard', flags.shard],
    ['--seed', flags.seed],
    ['-o', flags.out],
  ] as const;
  const words = valued.flatMap(([flag, value]) => (value === undefined ? [] : [flag, quoted(value)]));
  const globs = (flags.only ?? []).flatMap((glob) => ['--only', quoted(glob)]);
  return ['run', quoted(source), ...words, ...globs, ...(flags.full ? ['--full'] : [])].join(' ');
}

function quoted(word: string): string {
  return /^[\w./:@=+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function shardOf(text: string): Shard {
  const parts = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(parts?.[1]), Number(parts?.[2])];
  if (index >= 1 && index <= count) return { index, count };
  throw new UsageError(`--shard takes a part and how many there are, such as 2/3, got "${text}".`);
}

/** Seconds. */
function durationOf(text: string): number {
  const parts = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text);
  if (parts && Number(parts[1]) > 0) return Number(parts[1]) * UNITS[parts[2]];
  throw new UsageError(`--budget takes a time such as 90s, 30m or 2h, got "${text}".`);
}

const UNITS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600 };
