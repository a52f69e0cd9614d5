import { NameError } from '@cambium/cam';
import { UsageError } from './errors.ts';

/** Which class to explain: the one the network finds most likely, or always the same. */
export type TargetChoice = 'top1' | number;

/**
 * Reads the class on the command line: `top1`, the name of a class, or its index.
 *
 * @throws NameError when there is no class of that name, with the nearest; UsageError when the index is out of range
 */
export function chooseTarget(text: string, labels: readonly string[]): TargetChoice {
  const named = labels.indexOf(text);
  if (named >= 0) return named; // a class may be called "3" without being the fourth
  if (text === 'top1') return 'top1';
  const index = Number(text);
  if (/^\d+$/.test(text) && index < labels.length) return index;
  if (/^-?\d+$/.test(text))
    throw new UsageError(`There is no class ${text}: the model has classes 0 to ${labels.length - 1}.`);
  throw new NameError('class', text, labels);
}

/** The class that an image shows by the name of its file, `knitted.png` or `knitted_11.png`; undefined where it says none. */
export function labelOfName(name: string, labels: readonly string[]): string | undefined {
  const fitting = labels.filter((label) => name === label || name.startsWith(`${label}_`));
  return fitting.sort((a, b) => b.length - a.length)[0]; // the longest: "polka-dotted" rather than "polka"
}
