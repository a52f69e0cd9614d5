/** Lets timers, input and output proceed, so that a score can be stopped between two batches. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
