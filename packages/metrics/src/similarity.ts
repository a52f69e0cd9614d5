import { ShapeError, type Tensor } from '@cambium/gpu-kernels';
import { type Extent, extentOf } from './normalise.ts';

/** Side of the window over which structural similarity looks. */
const WINDOW = 7;

/**
 * Structural similarity of two maps along one axis: the maps are flattened row by row and compared in windows of seven
 * consecutive numbers, which run across the ends of rows.
 *
 *     H×W, H×W  →  [−1, 1], 1 for equal maps; NaN where both together are constant
 *
 * In a window: s = (2μₐμᵦ + C₁)(2 cov + C₂) / ((μₐ² + μᵦ² + C₁)(varₐ + varᵦ + C₂)), with C₁ = (0.01 L)², C₂ = (0.03 L)²,
 * L the range of both maps together, and sample (co)variances. The mean over all windows that fit. Windows where
 * both are zero count as 1, so a flat background draws the score towards 1.
 *
 * @throws ShapeError when the shapes differ or the maps hold fewer than seven numbers
 * @source Wang et al. 2004; the form of Quantus's Random Logit, spec 2.5
 */
export function similarityAlongRows(left: Tensor, right: Tensor): number {
  requireAlike(left, right);
  if (left.data.length < WINDOW) {
    throw new ShapeError('similarityAlongRows', `maps of at least ${WINDOW} numbers`, `[${left.shape.join(', ')}]`);
  }
  const width = left.data.length;
  return meanSimilarity(left, right, { rows: 1, columns: width - WINDOW + 1, width, down: 1 });
}

/**
 * Structural similarity of two maps in square windows of 7×7: the image form of `similarityAlongRows`.
 *
 *     H×W, H×W  →  [−1, 1]
 *
 * @throws ShapeError when the shapes differ or a side is shorter than seven
 * @source Wang et al. 2004; option `ssim: '2d'` of spec 2.5
 */
export function similarityInSquares(left: Tensor, right: Tensor): number {
  requireAlike(left, right);
  const [height, width] = left.shape;
  if (height < WINDOW || width < WINDOW) {
    throw new ShapeError('similarityInSquares', `maps of at least ${WINDOW}×${WINDOW}`, `[${left.shape.join(', ')}]`);
  }
  const [rows, columns] = [height - WINDOW + 1, width - WINDOW + 1];
  return meanSimilarity(left, right, { rows, columns, width, down: WINDOW });
}

interface Windows {
  /** Windows down and across. */
  readonly rows: number;
  readonly columns: number;
  /** Numbers in a row of the map. */
  readonly width: number;
  /** Rows of the map in a window. */
  readonly down: number;
}

function meanSimilarity(left: Tensor, right: Tensor, windows: Windows): number {
  const extent = extentOf([left, right], 'max');
  const moments = momentsOf(left.data, right.data, extent.least);
  if (windows.down > 1) for (const values of moments) sumDown(values, windows.width);
  let total = 0;
  for (let row = 0; row < windows.rows; row++) total += rowSimilarity(moments, windows, { row, extent });
  return total / (windows.rows * windows.columns);
}

/** Of both maps, counted from the least of both so that what rounding leaves is small; of their squares; of their products. */
type Moments = readonly [a: Float64Array, b: Float64Array, squares: Float64Array, products: Float64Array];

function momentsOf(left: Float32Array, right: Float32Array, least: number): Moments {
  const room = new Float64Array(4 * left.length);
  const part = (index: number) => room.subarray(index * left.length, (index + 1) * left.length);
  const [a, b, squares, products] = [part(0), part(1), part(2), part(3)];
  for (let index = 0; index < left.length; index++) {
    const x = left[index] - least;
    const y = right[index] - least;
    a[index] = x;
    b[index] = y;
    squares[index] = x * x + y * y;
    products[index] = x * y;
  }
  return [a, b, squares, products];
}

/** Replaces each number by the sum of seven from it down, as far as they reach. */
function sumDown(values: Float64Array, width: number): void {
  const end = values.length - (WINDOW - 1) * width;
  for (let index = 0; index < end; index++) {
    for (let step = 1; step < WINDOW; step++) values[index] += values[index + step * width];
  }
}

/** Similarities of a row of windows, added up; the sums over a window follow from those of the one before. */
function rowSimilarity(
  [a, b, squares, products]: Moments,
  { width, columns, down }: Windows,
  { row, extent: { least, largest } }: { row: number; extent: Extent },
): number {
  const size = WINDOW * down;
  const [each, sample] = [1 / size, 1 / (size - 1)];
  const luminance = (0.01 * (largest - least)) ** 2; // C₁
  const contrast = (0.03 * (largest - least)) ** 2; // C₂
  let [sumA, sumB, sumSquares, sumProducts, total] = [0, 0, 0, 0, 0];
  const start = row * width;
  for (let last = start; last < start + columns + WINDOW - 1; last++) {
    const before = last - WINDOW;
    const full = before >= start; // a number leaves the window
    sumA += a[last] - (full ? a[before] : 0);
    sumB += b[last] - (full ? b[before] : 0);
    sumSquares += squares[last] - (full ? squares[before] : 0);
    sumProducts += products[last] - (full ? products[before] : 0);
    if (before < start - 1) continue; // the first window is not full yet
    const covariance = (sumProducts - sumA * sumB * each) * sample;
    const variances = (sumSquares - (sumA * sumA + sumB * sumB) * each) * sample;
    const x = least + sumA * each;
    const y = least + sumB * each;
    // one division for the fractions of luminance and of structure
    const likeness = (2 * x * y + luminance) * (2 * covariance + contrast);
    total += likeness / ((x * x + y * y + luminance) * (variances + contrast));
  }
  return total;
}

function requireAlike(left: Tensor, right: Tensor): void {
  if (left.shape.length === 2 && left.shape.join() === right.shape.join()) return;
  const shapes = `[${left.shape.join(', ')}] and [${right.shape.join(', ')}]`;
  throw new ShapeError('similarity', 'two maps H×W of one shape', shapes);
}
