/** A score, or null where there was none. */
export type Value = number | null;

/**
 * The scores of several entrants (methods) on several blocks (images).
 *
 *     table[block][entrant], each row as long as the first
 */
export type Table = readonly (readonly Value[])[];

/** Numbers without the nulls. */
export function present(values: readonly Value[]): number[] {
  return values.filter((value) => value !== null);
}

/** Rows in which every entrant has a score. */
export function completeRows(table: Table): number[][] {
  return table.map(present).filter((row, index) => row.length === table[index].length);
}

/**
 * @throws RangeError when a value is NaN or infinite: a missing score is null
 */
export function requireFiniteValues(where: string, values: readonly Value[]): void {
  const index = values.findIndex((value) => value !== null && !Number.isFinite(value));
  if (index < 0) return;
  throw new RangeError(
    `${where} expected finite numbers or null, got ${values[index]} at index ${index}; give null for a missing score.`,
  );
}

/**
 * @returns the number of entrants
 * @throws RangeError when the table has no rows, rows of different lengths or values that are not finite
 */
export function requireTable(where: string, table: Table, fewest = 1): number {
  const entrants = table[0]?.length ?? 0;
  if (entrants < fewest)
    throw new RangeError(`${where} expected a table of at least ${fewest} entrants, got ${entrants}.`);
  const ragged = table.findIndex((row) => row.length !== entrants);
  if (ragged >= 0) {
    throw new RangeError(
      `${where} expected ${entrants} values in every row, got ${table[ragged].length} in row ${ragged}.`,
    );
  }
  for (const row of table) requireFiniteValues(where, row);
  return entrants;
}

/** @throws RangeError unless the probability lies strictly between 0 and 1 */
export function requireProbability(where: string, option: string, value: number): void {
  if (value > 0 && value < 1) return;
  throw new RangeError(`${where} expected ${option} strictly between 0 and 1, got ${value}.`);
}
