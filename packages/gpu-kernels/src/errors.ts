/**
 * A tensor has the wrong shape. Says where, what was expected and what was there.
 */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';

  constructor(where: string, expected: string, actual: string) {
    super(`${where} expected ${expected}, got ${actual}.`);
  }
}

/** Something that `openDevice` tried, and why it did not do. */
export interface Attempt {
  /** Name of an adapter, or where one was looked for. */
  readonly adapter: string;
  readonly reason: string;
}

/** No GPU device could be opened. `tried` says what was looked at and why each was not taken. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly tried: readonly Attempt[];

  constructor(wanted: string, tried: readonly Attempt[]) {
    const reasons = tried.map(({ adapter, reason }) => `${adapter}: ${reason}`).join('; ');
    super(`openDevice found no ${wanted} adapter. Tried ${reasons}.`);
    this.tried = tried;
  }
}

/** The device is gone, and with it every resident. `reason` is WebGPU's: `unknown`, or `destroyed` when it was closed. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
  readonly reason: string;

  constructor(where: string, reason: string, message: string) {
    const detail = message ? `: ${message.trim().replace(/\.$/, '')}` : '';
    super(`${where} lost its device (${reason}${detail}). Open another with openDevice() and give it a new engine.`);
    this.reason = reason;
  }
}

export type KernelErrorKind = 'validation' | 'out-of-memory' | 'internal';

/** The GPU refused work. `run` names the kernel with the shapes of its inputs. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly kind: KernelErrorKind;
  readonly run: string;

  constructor(kind: KernelErrorKind, run: string, message: string) {
    super(`${run} failed on the GPU (${kind}): ${message.trim()}`);
    this.kind = kind;
    this.run = run;
  }
}
