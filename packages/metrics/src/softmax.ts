/** Probability of one class: exp(zₜ − max z) over the sum of exp(zᵢ − max z). */
export function probabilityOf(logits: ArrayLike<number>, target: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < logits.length; index++) largest = Math.max(largest, logits[index]);
  let total = 0;
  for (let index = 0; index < logits.length; index++) total += Math.exp(logits[index] - largest);
  return Math.exp(logits[target] - largest) / total;
}

/** Index of the largest logit; of equal ones the first. */
export function predictedClass(logits: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < logits.length; index++) if (logits[index] > logits[best]) best = index;
  return best;
}
