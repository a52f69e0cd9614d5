import type { KernelErrorKind } from '../errors.ts';

const KINDS: readonly KernelErrorKind[] = ['validation', 'internal', 'out-of-memory'];

/**
 * Errors that a GPU reports later than the calls that caused them. They wait here until `settle` throws the first.
 */
export class Checks {
  readonly #device: GPUDevice;
  readonly #open = new Set<Promise<Error | undefined>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Calls `work` inside error scopes of every kind; what they catch becomes an error by `describe`. */
  watch<T>(work: () => T, describe: (kind: KernelErrorKind, message: string) => Error): T {
    for (const kind of KINDS) this.#device.pushErrorScope(kind);
    try {
      return work();
    } finally {
      const caught = KINDS.toReversed().map((kind) =>
        // rejects only when the device is lost, which is reported as such
        this.#device.popErrorScope().then(
          (error) => (error ? describe(kind, error.message) : undefined),
          () => undefined,
        ),
      );
      this.#remember(Promise.all(caught).then((errors) => errors.find((error) => error !== undefined)));
    }
  }

  /** Waits for everything watched so far. @throws the first error, which is then forgotten with the others */
  async settle(): Promise<void> {
    const open = [...this.#open];
    const errors = await Promise.all(open);
    for (const check of open) this.#open.delete(check);
    const first = errors.find((error) => error !== undefined);
    if (first) throw first;
  }

  #remember(check: Promise<Error | undefined>): void {
    this.#open.add(check);
    check.then((error) => error === undefined && this.#open.delete(check));
  }
}
