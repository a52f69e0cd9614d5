/** How something that was asked of the GPU went: the error that says why it failed, or nothing. It never rejects. */
export type Outcome = Promise<Error | undefined>;

/** What needed nothing of the GPU. */
export const fine: Outcome = Promise.resolve(undefined);

/** The first failure in the order given, once all is known. */
export async function firstFailure(outcomes: readonly Outcome[]): Outcome {
  const errors = await Promise.all(outcomes);
  return errors.find((error) => error !== undefined);
}
