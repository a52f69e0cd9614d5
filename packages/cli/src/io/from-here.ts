import { relative } from 'node:path';

/** A path below the working folder without the way there, which differs from machine to machine; any other as it is. */
export function fromHere(path: string): string {
  const way = relative('', path);
  return way.startsWith('..') ? path : way;
}
