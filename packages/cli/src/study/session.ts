import { InterruptedError } from '../errors.ts';
import type { SelfTest } from '../self-test.ts';
import type { Surroundings } from '../surroundings.ts';
import type { TimedClassifier } from '../timed-classifier.ts';
import { openBook } from './book.ts';
import type { PreparedRun } from './prepare-run.ts';
import type { LoopTiming, PlaceCheck, RunRecord } from './records.ts';
import type { RunFolder } from './run-folder.ts';
import { runCells } from './runner.ts';
import { openSpeaker } from './speaker.ts';
import { emptyTally } from './working-classifier.ts';

/** How a session ended. */
export interface SessionEnd {
  readonly record: RunRecord;
  readonly outcome: 'complete' | 'partial' | 'budget' | 'interrupted';
  /** Cells of the shard that have no row, and those whose row is an error. */
  readonly left: number;
  readonly failed: number;
}

/** What a session is given. */
export interface SessionRequest {
  readonly run: PreparedRun;
  readonly folder: RunFolder;
  readonly timed: TimedClassifier;
  /** The GPU, where one computes. */
  readonly adapter: string | undefined;
  readonly surroundings: Surroundings;
  readonly failFast: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  /** To repeat it. */
  readonly command: string;
  /** What this machine's numbers were held to. */
  readonly checks: readonly SelfTest[];
  readonly places: readonly PlaceCheck[];
  readonly loop: LoopTiming | undefined;
}

/**
 * Works on a run until its cells are done, its time is up, or it is stopped, and keeps `run.json` true on the way.
 *
 * @throws StorageError when a file cannot be written; with `failFast` the error of the first cell that fails
 */
export async function runSession(request: SessionRequest): Promise<SessionEnd> {
  const { run, folder, surroundings, timed } = request;
  const clock = () => performance.now() / 1000;
  const { classifier } = timed;
  const total = emptyTally();
  const elapsed = () => clock() - surroundings.began;
  const book = await openBook(request, { total, computed: timed.seconds, elapsed });
  const timeout = new AbortController();
  const timer = run.budget && setTimeout(() => timeout.abort(new BudgetError()), 1000 * run.budget);
  const signal = AbortSignal.any([surroundings.signal, timeout.signal]);
  using speaker = await openSpeaker(request);
  const saver = setInterval(() => void book.save().catch(() => undefined), SAVED_EVERY); // the next row tells of a full disk
  let outcome: SessionEnd['outcome'] = 'complete';
  try {
    await book.save();
    await runCells({
      study: run.study,
      classifier,
      total,
      imagesAtOnce: classifier.busy ? 2 : 1, // it computes beside this thread
      folder,
      cells: run.wanted,
      isRecorded: book.isRecorded,
      estimateOf: run.estimator.ofImage,
      signal,
      failFast: request.failFast,
      clock,
      events: { ...speaker.events, onCell: (row) => speaker.events.onCell(book.count(row)), onImage: book.addImage },
    });
    if (book.left() > 0) outcome = 'partial';
  } catch (error) {
    outcome = reasonToStop(error);
  } finally {
    clearTimeout(timer);
    clearInterval(saver);
    await folder.flush();
    await book.save(true);
  }
  return { record: book.record(true), outcome, left: book.left(), failed: book.failed() };
}

/** Milliseconds after which what was spent is written, so that a kill forgets no more of it. */
const SAVED_EVERY = 2000;

class BudgetError extends Error {
  override readonly name = 'BudgetError';
}

function reasonToStop(error: unknown): 'budget' | 'interrupted' {
  if (error instanceof BudgetError) return 'budget';
  if (error instanceof InterruptedError) return 'interrupted';
  throw error;
}
