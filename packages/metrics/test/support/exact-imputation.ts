/**
 * Fills unknown pixels (H·W, 1 where unknown) so that each is the weighted mean of its neighbours, by conjugate gradients in
 * double precision: slow, and written apart from what it tells the truth of.
 */
export function solvedExactly(
  image: Float32Array,
  unknown: Uint8Array,
  [height, width]: readonly [number, number],
): Float64Array {
  const pulls: (readonly [number, number])[][] = Array.from(unknown, (_, pixel) => neighbours(pixel, height, width));
  const sums = pulls.map((pull) => pull.reduce((sum, [, weight]) => sum + weight, 0));
  /** What the equations of the unknown pixels leave. */
  const left = (values: Float64Array) =>
    Float64Array.from(values, (value, pixel) =>
      unknown[pixel]
        ? sums[pixel] * value - pulls[pixel].reduce((sum, [at, weight]) => sum + weight * values[at], 0)
        : 0,
    );
  const solution = Float64Array.from(image, (value, pixel) => (unknown[pixel] ? 0 : value));
  let rest = left(solution).map((value) => -value);
  let direction = rest.slice();
  let squares = dot(rest, rest);
  for (const enough = 1e-24 * squares; squares > enough; ) {
    const across = left(direction);
    const step = squares / dot(direction, across);
    for (let pixel = 0; pixel < solution.length; pixel++) solution[pixel] += step * direction[pixel];
    rest = rest.map((value, pixel) => value - step * across[pixel]);
    const next = dot(rest, rest);
    direction = direction.map((value, pixel) => rest[pixel] + (next / squares) * value);
    squares = next;
  }
  return solution;
}

function neighbours(pixel: number, height: number, width: number): (readonly [number, number])[] {
  const [row, column] = [Math.floor(pixel / width), pixel % width];
  const found: (readonly [number, number])[] = [];
  for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, height - 1); y++) {
    for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, width - 1); x++) {
      if (y !== row || x !== column) found.push([y * width + x, y === row || x === column ? 1 / 6 : 1 / 12]);
    }
  }
  return found;
}

function dot(left: Float64Array, right: Float64Array): number {
  return left.reduce((sum, value, index) => sum + value * right[index], 0);
}
