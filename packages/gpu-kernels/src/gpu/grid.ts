type Grid = readonly [number, number, number];

/**
 * Folds a grid that is too long for the device into two dimensions. A kernel's x index is then its own x plus y times the
 * width of the grid; indices past the end are the kernel's to skip.
 *
 *     [100000, 1, 1] with a limit of 65535  →  [50000, 2, 1]
 *
 * @throws RangeError when the grid is too large even so
 */
export function foldGrid(grid: Grid, limit: number, run: string): Grid {
  const [x, y, z] = grid;
  if (x <= limit && y <= limit && z <= limit) return grid;
  const layers = Math.ceil(x / limit);
  if (y === 1 && z === 1 && layers <= limit) return [Math.ceil(x / layers), layers, 1];
  throw new RangeError(
    `${run} needs a grid of ${grid.join('×')} workgroups, but maxComputeWorkgroupsPerDimension is ${limit}. Use a smaller batch.`,
  );
}
