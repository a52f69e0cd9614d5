/** Probabilities of logits: exp(zᵢ − max z), divided by their sum. */
export function softmax(logits: Float32Array): Float32Array<ArrayBuffer> {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) largest = Math.max(largest, logit);
  const powers = new Float64Array(logits.length);
  let total = 0;
  for (let index = 0; index < logits.length; index++) {
    powers[index] = Math.exp(logits[index] - largest);
    total += powers[index];
  }
  const probabilities = new Float32Array(logits.length);
  for (let index = 0; index < logits.length; index++) probabilities[index] = powers[index] / total;
  return probabilities;
}

/** One of them, the same bits. */
export function probabilityOf(logits: Float32Array, index: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < logits.length; at++) largest = Math.max(largest, logits[at]);
  let total = 0;
  for (let at = 0; at < logits.length; at++) total += Math.exp(logits[at] - largest);
  return Math.fround(Math.exp(logits[index] - largest) / total);
}

/** Index of the largest number; of equal ones the first. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index] > values[best]) best = index;
  return best;
}
