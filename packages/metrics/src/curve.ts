/** The mean of a curve's points. */
export function meanOf(curve: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < curve.length; index++) sum += curve[index];
  return sum / curve.length;
}

/** Area under a curve by the trapezoid rule, with points one apart. A single point has none: 0. */
export function areaUnder(curve: ArrayLike<number>): number {
  let area = 0;
  for (let index = 1; index < curve.length; index++) area += (curve[index - 1] + curve[index]) / 2;
  return area;
}
