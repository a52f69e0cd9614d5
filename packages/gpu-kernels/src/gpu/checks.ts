import type { KernelErrorKind } from '../errors.ts';
import { firstFailure, type Outcome } from './outcome.ts';

const KINDS: readonly KernelErrorKind[] = ['validation', 'internal', 'out-of-memory'];

/** What work returned at once, and how the GPU took it, which is known later. */
export interface Watched<T> {
  readonly result: T;
  readonly outcome: Outcome;
}

/** What is asked of a device here. */
interface ScopedDevice {
  pushErrorScope(kind: KernelErrorKind): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

/**
 * Errors that a GPU reports later than the calls that caused them. They wait here until they are told to someone.
 */
export class Checks {
  readonly #device: ScopedDevice;
  readonly #open = new Set<Outcome>();
  readonly #untold = new Set<Error>();

  constructor(device: ScopedDevice) {
    this.#device = device;
  }

  /** Calls `work` inside error scopes of every kind; what they catch becomes an error by `describe`. */
  watch<T>(work: () => T, describe: (kind: KernelErrorKind, message: string) => Error | Promise<Error>): Watched<T> {
    for (const kind of KINDS) this.#device.pushErrorScope(kind);
    let caught: readonly Outcome[] = [];
    try {
      const result = work();
      caught = this.#popScopes(describe);
      return { result, outcome: this.#remember(firstFailure(caught)) };
    } finally {
      if (caught.length === 0) this.#popScopes(describe); // work threw, and nobody will ask for more
    }
  }

  /** Waits for everything watched so far. @throws the first error that nobody was told, which is then forgotten with the others */
  async settle(): Promise<void> {
    await Promise.all(this.#open);
    const [first] = this.#untold;
    this.#untold.clear();
    if (first) throw first;
  }

  /** The error was thrown to someone: `settle` need not. */
  told(error: Error): void {
    this.#untold.delete(error);
  }

  #popScopes(describe: (kind: KernelErrorKind, message: string) => Error | Promise<Error>): readonly Outcome[] {
    return KINDS.toReversed().map((kind) =>
      // rejects only when the device is lost, which is reported as such
      this.#device.popErrorScope().then(
        (error) => (error ? describe(kind, error.message) : undefined),
        () => undefined,
      ),
    );
  }

  #remember(outcome: Outcome): Outcome {
    const known = outcome.then((error) => {
      this.#open.delete(known);
      if (error) this.#untold.add(error);
      return error;
    });
    this.#open.add(known);
    return known;
  }
}
