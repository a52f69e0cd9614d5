import { DeviceLostError } from '../errors.ts';

/** Whether an engine can still compute, and what ends the waits of its callers when it no longer can. */
export class Life {
  #end: Error | undefined;
  readonly #waiting = new Set<(reason: Error) => void>();

  constructor(device: { readonly lost: Promise<Pick<GPUDeviceLostInfo, 'reason' | 'message'>> }, where: string) {
    device.lost.then(({ reason, message }) => this.end(new DeviceLostError(where, reason, message)));
  }

  /** Ends it; the first reason stays. */
  end(reason: Error): void {
    this.#end ??= reason;
    for (const reject of this.#waiting) reject(this.#end);
    this.#waiting.clear();
  }

  /** @throws the reason when it has ended */
  require(): void {
    if (this.#end) throw this.#end;
  }

  /** What the promise brings, unless the end comes first. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => {}); // heard below, or no longer of interest once the end has come
    this.require();
    const { promise: result, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.add(reject);
    promise.then(resolve, reject);
    try {
      return await result;
    } catch (error) {
      await new Promise((later) => setTimeout(later, 0)); // news of a loss may come after the failures that it caused
      throw this.#end ?? error;
    } finally {
      this.#waiting.delete(reject);
    }
  }
}
