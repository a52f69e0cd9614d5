import { distance } from 'fastest-levenshtein';

/**
 * The choices that a mistyped name probably meant, nearest first: at most three, none where all are far.
 *
 * A choice is near when at most a third of its letters differ, or when one name contains the other.
 */
export function nearest(name: string, choices: readonly string[]): string[] {
  const typed = name.toLowerCase();
  return choices
    .map((choice) => ({ choice, edits: editsBetween(typed, choice.toLowerCase()) }))
    .filter(({ choice, edits }) => edits <= Math.max(1, Math.ceil(choice.length / 3)))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ choice }) => choice);
}

// a name that is part of the other ("gradcam" has no hyphen, "layer" no number) counts as one edit away
function editsBetween(typed: string, choice: string): number {
  const contained = typed.length >= 3 && (choice.includes(typed) || typed.includes(choice));
  return contained ? Math.min(1, distance(typed, choice)) : distance(typed, choice);
}
