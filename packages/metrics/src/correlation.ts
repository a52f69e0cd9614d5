/**
 * Pearson's correlation of two lists of equal length, in [−1, 1]; NaN where one of them is constant or has fewer than
 * two entries.
 */
export function pearson(left: ArrayLike<number>, right: ArrayLike<number>): number {
  const count = left.length;
  const leftMean = mean(left);
  const rightMean = mean(right);
  let both = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let index = 0; index < count; index++) {
    const x = left[index] - leftMean;
    const y = right[index] - rightMean;
    both += x * y;
    leftSquares += x * x;
    rightSquares += y * y;
  }
  if (isConstant(left) || isConstant(right)) return Number.NaN; // rounding of the mean must not be correlated
  return Math.max(-1, Math.min(1, both / Math.sqrt(leftSquares * rightSquares)));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index];
  return sum / values.length;
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let index = 1; index < values.length; index++) if (values[index] !== values[0]) return false;
  return true;
}
