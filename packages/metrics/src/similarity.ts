import { ShapeError, type Tensor } from '@cambium/gpu-kernels';
import { extentOf } from './normalise.ts';

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
  return meanSimilarity(left, right, { rows: 1, columns: width - WINDOW + 1, width, strides: [1] });
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
  return meanSimilarity(left, right, { rows, columns, width, strides: [width, 1] });
}

interface Windows {
  /** Windows down and across. */
  readonly rows: number;
  readonly columns: number;
  /** Numbers in a row of the map. */
  readonly width: number;
  /** Distances between neighbours in a window, axis by axis. */
  readonly strides: readonly number[];
}

function meanSimilarity(left: Tensor, right: Tensor, windows: Windows): number {
  const { least, largest } = extentOf([left, right]);
  const { a, b, squares, products } = momentsOf(left.data, right.data, { least, strides: windows.strides });
  const size = WINDOW ** windows.strides.length;
  const luminance = (0.01 * (largest - least)) ** 2; // C₁
  const contrast = (0.03 * (largest - least)) ** 2; // C₂
  let total = 0;
  for (let row = 0; row < windows.rows; row++) {
    for (let column = 0; column < windows.columns; column++) {
      const at = row * windows.width + column;
      const covariance = (products[at] - (a[at] * b[at]) / size) / (size - 1);
      const variances = (squares[at] - (a[at] * a[at] + b[at] * b[at]) / size) / (size - 1);
      const [x, y] = [least + a[at] / size, least + b[at] / size];
      const structure = (2 * covariance + contrast) / (variances + contrast);
      total += ((2 * x * y + luminance) / (x * x + y * y + luminance)) * structure;
    }
  }
  return total / (windows.rows * windows.columns);
}

/**
 * Sums over each window, by its first position: of both maps, of their squares together and of their products. Values
 * count from the least of both, so that what rounding leaves is small against the range.
 */
function momentsOf(
  left: Float32Array,
  right: Float32Array,
  { least, strides }: { least: number; strides: readonly number[] },
): { [name in 'a' | 'b' | 'squares' | 'products']: Float64Array } {
  const [a, b, squares, products] = Array.from({ length: 4 }, () => new Float64Array(left.length));
  for (let index = 0; index < left.length; index++) {
    a[index] = left[index] - least;
    b[index] = right[index] - least;
    squares[index] = a[index] * a[index] + b[index] * b[index];
    products[index] = a[index] * b[index];
  }
  const summed = (values: Float64Array) => strides.reduce(slidingSums, values);
  return { a: summed(a), b: summed(b), squares: summed(squares), products: summed(products) };
}

/** For each position the sum of seven numbers from it on, a stride apart; each from the one before. */
function slidingSums(values: Float64Array, stride: number): Float64Array {
  const sums = new Float64Array(values.length);
  const end = values.length - (WINDOW - 1) * stride;
  for (let index = 0; index < end; index++) {
    const last = values[index + (WINDOW - 1) * stride];
    if (index >= stride) sums[index] = sums[index - stride] - values[index - stride] + last;
    else for (let step = 0; step < WINDOW; step++) sums[index] += values[index + step * stride];
  }
  return sums;
}

function requireAlike(left: Tensor, right: Tensor): void {
  if (left.shape.length === 2 && left.shape.join() === right.shape.join()) return;
  const shapes = `[${left.shape.join(', ')}] and [${right.shape.join(', ')}]`;
  throw new ShapeError('similarity', 'two maps H×W of one shape', shapes);
}
