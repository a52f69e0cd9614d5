import type { Tensor } from '@cambium/gpu-kernels';
import type { DerivedModel } from './derived-models.ts';

export type Feeds = { readonly [input: string]: Tensor };

/** A compiled model. */
export interface Session {
  /** The model's outputs, in the order in which it names them. */
  run(feeds: Feeds): Promise<Tensor[]>;
  release(): Promise<void>;
}

/** Where models are compiled and run. */
export interface SessionHost {
  open(model: DerivedModel): Promise<Session>;
  /** Seconds in which it has been compiling or running a model, where it knows. */
  busy?(): number;
  /** Called when every session is released. */
  close?(): Promise<void>;
}

/** Compiled models by the question they answer. */
export interface SessionCache {
  /** Compiles `build()` if the question is new, then runs it. Runs are queued: one at a time. */
  run(key: string, build: () => DerivedModel, feeds: Feeds): Promise<Tensor[]>;
  /** As the host tells. */
  busy?(): number;
  /** Releases every session; later runs throw. */
  close(): Promise<void>;
}

/** Keeps the sessions asked last, at most `limit` of them, and releases the others. */
export function sessionCache(limit: number, host: SessionHost): SessionCache {
  const sessions = new Map<string, Session>(); // in order of use, last used at the end
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  async function sessionFor(key: string, build: () => DerivedModel): Promise<Session> {
    if (closed) throw new Error('The classifier is closed; open another to ask it something.');
    const session = sessions.get(key) ?? (await makeRoomFor(key, build));
    sessions.delete(key);
    sessions.set(key, session);
    return session;
  }

  async function makeRoomFor(key: string, build: () => DerivedModel): Promise<Session> {
    for (const [oldest, session] of sessions) {
      if (sessions.size < limit) break;
      sessions.delete(oldest);
      await session.release();
    }
    const session = await host.open(build());
    sessions.set(key, session);
    return session;
  }

  async function releaseAll(): Promise<void> {
    closed = true;
    for (const session of sessions.values()) await session.release();
    sessions.clear();
    await host.close?.();
  }

  /** Runs one piece of work after those before it, whether they succeeded or not. */
  function enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work, work);
    queue = result.catch(() => undefined);
    return result;
  }

  return {
    run: (key, build, feeds) => enqueue(async () => (await sessionFor(key, build)).run(feeds)),
    busy: host.busy,
    close: () => enqueue(releaseAll),
  };
}
