/** Work that goes on beside the work that matters, such as encoding pictures while the network computes. */
export interface Later {
  /** Begins it; a failure is told by the next `check` or `flush`. */
  add(work: () => Promise<void>): void;
  /** @throws what the first failed work threw */
  check(): void;
  /** Waits for all of it. @throws what the first failed work threw */
  flush(): Promise<void>;
}

/** Nothing is going on yet. */
export function openLater(): Later {
  const running = new Set<Promise<void>>();
  const faults: unknown[] = [];
  function check(): void {
    if (faults.length > 0) throw faults[0];
  }
  return {
    add(work) {
      const promise = work()
        .catch((error) => void faults.push(error))
        .finally(() => running.delete(promise));
      running.add(promise);
    },
    check,
    async flush() {
      while (running.size > 0) await Promise.all(running);
      check();
    },
  };
}
