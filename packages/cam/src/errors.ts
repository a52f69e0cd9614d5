/**
 * A model cannot be read or used. The message is complete and meant for users: where, what was expected, what was
 * there, and the next step.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';

  /** @param message a whole sentence, or its parts */
  constructor(message: string | ModelErrorParts, options?: ErrorOptions) {
    super(typeof message === 'string' ? message : sentence(message), options);
  }
}

function sentence({ where, expected, got, next }: ModelErrorParts): string {
  return `${where}: expected ${expected}, got ${got}. ${next}`;
}

/** What a ModelError says; `next` is a whole sentence, the others are phrases. */
export interface ModelErrorParts {
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly next: string;
}

/**
 * A layer, method or class that does not exist. The message names the nearest that do.
 *
 *     new NameError('layer', 'layr4', ['layer3', 'layer4'])  →  Unknown layer "layr4". Nearest: layer4, layer3.
 */
export class NameError extends Error {
  override readonly name = 'NameError';

  /** @param kind what was looked for, such as `layer` */
  constructor(kind: string, name: string, choices: readonly string[]) {
    const hint =
      choices.length === 0 ? 'There are none to choose from.' : `Nearest: ${nearest(name, choices).join(', ')}.`;
    super(`Unknown ${kind} "${name}". ${hint}`);
  }
}

/** The `count` choices that take the fewest edits to become `name`, nearest first; letter case does not count. */
export function nearest(name: string, choices: readonly string[], count = 3): readonly string[] {
  const wanted = name.toLowerCase();
  const ranked = choices.map((choice) => ({ choice, distance: editDistance(wanted, choice.toLowerCase()) }));
  ranked.sort((a, b) => a.distance - b.distance);
  return ranked.slice(0, count).map(({ choice }) => choice);
}

/** Levenshtein distance: how many letters must be inserted, removed or replaced to turn `from` into `to`. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[to.length];
}
