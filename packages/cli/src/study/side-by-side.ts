/** What is worked through, and how. */
export interface SideBySide<T> {
  readonly items: Iterable<T>;
  /** How many are under way at once. */
  readonly atOnce: number;
  work(item: T, place: Lane): Promise<void>;
  /** Asks the work that is under way to stop. */
  stop(reason: unknown): void;
}

/** What the work on an item must know of the others. */
export interface Lane {
  /** The first item is alone until it makes room, or its work ends. */
  readonly isFirst: boolean;
  makeRoom(): void;
}

/**
 * Works through items in their order, several at once.
 *
 * @throws what the first failed work threw, when all that was under way has ended; nothing more is begun after it
 */
export async function sideBySide<T>({ items, atOnce, work, stop }: SideBySide<T>): Promise<void> {
  const left = items[Symbol.iterator]();
  const room = Promise.withResolvers<void>();
  const faults: unknown[] = [];
  let isFirst = true;

  async function lane(): Promise<void> {
    while (faults.length === 0) {
      const { done, value } = left.next();
      if (done) break;
      const place = { isFirst, makeRoom: room.resolve };
      isFirst = false;
      try {
        await work(value, place);
      } catch (error) {
        faults.push(error);
        stop(error);
      }
      room.resolve();
    }
    room.resolve();
  }

  await Promise.all(Array.from({ length: atOnce }, (_, index) => (index === 0 ? lane() : room.promise.then(lane))));
  if (faults.length > 0) throw faults[0];
}
