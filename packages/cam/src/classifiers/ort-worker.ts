import { parentPort } from 'node:worker_threads';
import { ModelError } from '../errors.ts';
import type { DerivedModel } from './derived-models.ts';
import { openOrtSession, type RuntimeOptions } from './ort-session.ts';
import type { Feeds, Session } from './session-cache.ts';

/** What the thread of ONNX Runtime is asked. Memory comes with the question and goes back with the answer. */
export type Question = { readonly id: number; readonly session: number } & (
  | { readonly kind: 'open'; readonly model: DerivedModel; readonly runtime: RuntimeOptions }
  | { readonly kind: 'run'; readonly feeds: Feeds }
  | { readonly kind: 'release' }
);

/** What it answers. */
export interface Answer {
  readonly id: number;
  /** In which it worked on the question. */
  readonly seconds: number;
  /** Of a run: the model's outputs. */
  readonly tensors?: Awaited<ReturnType<Session['run']>>;
  readonly fault?: { readonly kind: 'ModelError' | 'Error'; readonly message: string };
}

const port = parentPort!; // this file is a thread's program
const sessions = new Map<number, Session>();
let queue = Promise.resolve(); // questions are answered in their order, one at a time

port.on('message', (question: Question | { readonly kind: 'end' }) => {
  queue = queue.then(() => (question.kind === 'end' ? port.close() : answer(question)));
});

async function answer(question: Question): Promise<void> {
  const { id } = question;
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const tensors = await work(question);
    const memory = tensors?.map(({ data }) => data.buffer) ?? [];
    port.postMessage({ id, seconds: seconds(), tensors } satisfies Answer, [...new Set(memory)]);
  } catch (error) {
    const kind = error instanceof ModelError ? 'ModelError' : 'Error';
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ id, seconds: seconds(), fault: { kind, message } } satisfies Answer);
  }
}

async function work(question: Question): Promise<Answer['tensors']> {
  const { session } = question;
  if (question.kind === 'open') {
    sessions.set(session, await openOrtSession(question.model, question.runtime));
    return undefined;
  }
  const open = sessions.get(session)!; // it is asked only what was opened and not yet released
  if (question.kind === 'run') return open.run(question.feeds);
  sessions.delete(session);
  await open.release();
  return undefined;
}
