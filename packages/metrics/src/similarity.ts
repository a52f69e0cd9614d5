import { ShapeError, type Tensor } from '@cambium/gpu-kernels';

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
  const offsets = Array.from({ length: WINDOW }, (_, offset) => offset);
  const starts = Array.from({ length: left.data.length - WINDOW + 1 }, (_, start) => start);
  return meanSimilarity(left.data, right.data, { offsets, starts });
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
  const offsets = Array.from({ length: WINDOW ** 2 }, (_, at) => Math.floor(at / WINDOW) * width + (at % WINDOW));
  const columns = width - WINDOW + 1;
  const starts = Array.from(
    { length: (height - WINDOW + 1) * columns },
    (_, at) => Math.floor(at / columns) * width + (at % columns),
  );
  return meanSimilarity(left.data, right.data, { offsets, starts });
}

interface Windows {
  readonly offsets: readonly number[];
  readonly starts: readonly number[];
}

function meanSimilarity(left: Float32Array, right: Float32Array, { offsets, starts }: Windows): number {
  const range = rangeOf(left, right);
  const luminance = (0.01 * range) ** 2; // C₁
  const contrast = (0.03 * range) ** 2; // C₂
  const size = offsets.length;
  let total = 0;
  for (const start of starts) {
    let a = 0;
    let b = 0;
    for (const offset of offsets) {
      a += left[start + offset];
      b += right[start + offset];
    }
    a /= size;
    b /= size;
    let squares = 0;
    let products = 0;
    for (const offset of offsets) {
      const x = left[start + offset] - a;
      const y = right[start + offset] - b;
      squares += x * x + y * y;
      products += x * y;
    }
    const structure = ((2 * products) / (size - 1) + contrast) / (squares / (size - 1) + contrast);
    total += ((2 * a * b + luminance) / (a * a + b * b + luminance)) * structure;
  }
  return total / starts.length;
}

function rangeOf(left: Float32Array, right: Float32Array): number {
  let least = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (const values of [left, right]) {
    for (const value of values) {
      if (value < least) least = value;
      if (value > largest) largest = value;
    }
  }
  return largest - least;
}

function requireAlike(left: Tensor, right: Tensor): void {
  if (left.shape.length === 2 && left.shape.join() === right.shape.join()) return;
  const shapes = `[${left.shape.join(', ')}] and [${right.shape.join(', ')}]`;
  throw new ShapeError('similarity', 'two maps H×W of one shape', shapes);
}
