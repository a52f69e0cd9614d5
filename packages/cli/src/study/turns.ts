import { nextTurn } from '@cambium/gpu-kernels';

/** A classifier's questions from several images, one at a time. */
export interface Turns {
  /** Waits until those before are answered, then asks. */
  take<T>(ask: () => Promise<T>): Promise<T>;
}

/**
 * Nobody has asked yet. Turns come in the order in which they were asked for.
 *
 * Where others wait, the next question is on its way before an answer is returned: whoever gets it may go on to work
 * that fills this thread.
 */
export function openTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    async take(ask) {
      waiting++;
      const answer = last.then(() => {
        waiting--;
        return ask();
      });
      last = answer.catch(() => undefined); // who asked hears of it
      try {
        return await answer;
      } finally {
        if (waiting > 0) await nextTurn();
      }
    },
  };
}
