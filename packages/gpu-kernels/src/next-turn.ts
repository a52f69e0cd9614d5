/** Lets timers, input and output proceed. Where there is `setImmediate` it takes no longer than they do; a timer takes a millisecond. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
