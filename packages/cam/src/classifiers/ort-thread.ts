import { Worker } from 'node:worker_threads';
import { ModelError } from '../errors.ts';
import type { DerivedModel } from './derived-models.ts';
import type { RuntimeOptions } from './ort-session.ts';
import type { Answer, Question } from './ort-worker.ts';
import type { Session, SessionHost } from './session-cache.ts';

/**
 * Sessions of ONNX Runtime in a thread of their own: while it computes, this thread goes on.
 *
 * The thread begins with the first session and ends with `close`. It keeps the process alive only while it owes an
 * answer.
 */
export function ortThread(runtime: RuntimeOptions): SessionHost {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let lost: Error | undefined;
  let asked = 0;
  let opened = 0;
  let busy = 0;

  function begin(): Worker {
    const begun = new Worker(WORKER, { name: 'onnxruntime', execArgv: [] }); // flags for a program may not suit a file
    begun.on('message', (answer: Answer) => {
      busy += answer.seconds;
      const { resolve, reject } = waiting.get(answer.id)!; // it answers what it was asked, once
      waiting.delete(answer.id);
      if (waiting.size === 0) begun.unref();
      if (answer.fault) reject(errorOf(answer.fault));
      else resolve(answer);
    });
    begun.on('error', (cause) => lose(`ended: ${cause.message}`, cause));
    begun.on('exit', (code) => lose(`ended with ${code}`));
    begun.unref();
    return begun;
  }

  function lose(how: string, cause?: Error): void {
    lost ??= new Error(`The thread of ONNX Runtime ${how}. Open another classifier to go on.`, { cause });
    for (const { reject } of waiting.values()) reject(lost);
    waiting.clear();
    worker = undefined;
  }

  function ask(question: Unnumbered, transfer: readonly ArrayBuffer[] = []): Promise<Answer> {
    if (lost) return Promise.reject(lost); // its sessions went with it
    worker ??= begin();
    const thread = worker;
    const id = asked++;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      thread.ref();
      thread.postMessage({ id, ...question }, transfer);
    });
  }

  async function open({ bytes, outputs }: DerivedModel): Promise<Session> {
    const session = opened++;
    const model = { bytes: ownMemory(bytes), outputs };
    await ask({ kind: 'open', session, model, runtime }, [model.bytes.buffer]);
    return {
      async run(feeds) {
        const sent = Object.fromEntries(
          Object.entries(feeds).map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]),
        );
        const memory = Object.values(sent).map(({ data }) => data.buffer);
        const { tensors } = await ask({ kind: 'run', session, feeds: sent }, memory);
        return tensors!; // a run that did not fail has some
      },
      release: async () => void (lost ?? (await ask({ kind: 'release', session }))),
    };
  }

  return {
    open,
    busy: () => busy,
    async close() {
      if (!worker) return;
      const ended = new Promise((resolve) => worker?.once('exit', resolve));
      worker.ref();
      worker.postMessage({ kind: 'end' });
      await ended;
    },
  };
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

type Unnumbered = Question extends infer Q ? (Q extends Question ? Omit<Q, 'id'> : never) : never;

/** Bytes in a buffer that holds nothing else, so that it can be handed over. */
function ownMemory(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength
    ? new Uint8Array(buffer)
    : Uint8Array.from(bytes);
}

function errorOf({ kind, message }: NonNullable<Answer['fault']>): Error {
  return kind === 'ModelError' ? new ModelError(message) : new Error(message);
}

/** The thread's program: TypeScript beside this file in a checkout, its own file in the package. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './ort-worker.ts' : './ort-worker.js', import.meta.url);
