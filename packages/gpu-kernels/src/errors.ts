/**
 * A tensor has the wrong shape. Says where, what was expected and what was there.
 */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(where: string, expected: string, actual: string) {
    super(`${where} expected ${expected}, got ${actual}.`);
  }
}
