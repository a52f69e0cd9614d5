import { nearest } from '@cambium/cam';
import type { z } from 'zod';

/**
 * What is wrong with a suite in one sentence: each fault with the place of its key, such as `metrics[2].options.steps`,
 * and the nearest names where one was mistyped.
 *
 * @param given what the suite file holds
 */
export function describeFaults(error: z.ZodError, given: unknown): string {
  const faults = error.issues.flatMap((issue) => faultsOf(issue, given));
  const shown = [...new Set(faults)].slice(0, SHOWN);
  const more = faults.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

function faultsOf(issue: z.core.$ZodIssue, given: unknown, above: readonly PropertyKey[] = []): string[] {
  const path = [...above, ...issue.path];
  const place = placeOf(path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(placeOf([...path, key]), key));
  if (issue.code === 'invalid_value') {
    const choices = issue.values.map(String);
    const value = valueAt(given, path);
    const close = typeof value === 'string' ? nearest(value, choices) : [];
    const hint = close.length > 0 ? `did you mean ${close.join(' or ')}?` : `expected one of ${choices.join(', ')}`;
    return [`${place}: there is no ${JSON.stringify(value)}, ${hint}`];
  }
  if (issue.code === 'invalid_union') return unionFaults(issue.errors, { given, path });
  const value = valueAt(given, path);
  const missing = value === undefined && issue.code === 'invalid_type' ? 'is missing, ' : '';
  const expected = issue.message.replace(/^Invalid (input|string): /, '').replace(/, received undefined$/, '');
  return [`${place}: ${missing}${expected}`];
}

function unknownKey(place: string, key: string): string {
  const close = nearest(key, KEYS);
  return `${place}: there is no such key${close.length > 0 ? `, did you mean ${close.join(' or ')}?` : ''}`;
}

// of the ways to write a value, the one that was meant is that which takes the fewest keys to mend
function unionFaults(
  ways: readonly (readonly z.core.$ZodIssue[])[],
  { given, path }: { given: unknown; path: readonly PropertyKey[] },
): string[] {
  const value = valueAt(given, path);
  const fitting = ways.filter((issues) => !issues.some((issue) => issue.path.length === 0 && isTypeFault(issue)));
  const namesOnly = ways.filter((issues) => typeof value === 'string' && issues[0]?.code === 'invalid_value');
  const ofKind = namesOnly.length > 0 ? namesOnly : fitting;
  if (value === undefined) return [`${placeOf(path)}: is missing`];
  const [chosen] = ofKind.toSorted((a, b) => keysToMend(a) - keysToMend(b));
  if (chosen) return chosen.flatMap((issue) => faultsOf(issue, given, path));
  const kinds = ways.flat().map((issue) => ('expected' in issue ? String(issue.expected) : 'one of several names'));
  return [`${placeOf(path)}: expected ${[...new Set(kinds)].join(' or ')}, got ${JSON.stringify(value)}`];
}

function keysToMend(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

function isTypeFault({ code }: z.core.$ZodIssue): boolean {
  return code === 'invalid_type' || code === 'invalid_value';
}

/** `metrics[2].options` */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the suite';
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    given,
  );
}

const SHOWN = 5;

// of every object in a suite
const KEYS = [
  ...['name', 'title', 'model', 'preprocess', 'classes', 'images', 'layers', 'methods', 'metrics', 'target', 'seed'],
  ...['batch', 'size', 'mean', 'std', 'resize', 'folder', 'layout', 'perClass', 'limit', 'file', 'label', 'mask'],
  ...['method', 'id', 'options', 'metric', 'explainWith', 'variant', 'channels', 'contrast', 'start', 'rule', 'relu'],
  ...['minMax', 'maps', 'negative'],
];
