import type { Named } from './kernel.ts';

/** A record with one value for each name. */
export function mapNamed<Name extends string, T>(names: readonly Name[], value: (name: Name) => T): Named<Name, T> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Named<Name, T>; // one entry per name
}
