import type { createColors } from 'picocolors';
import { formatDuration } from './duration.ts';
import type { Stream } from './ui.ts';

/** Takes the line that the cursor is in away. */
export const TAKE_AWAY = '\r\u001b[2K';

/** How far a piece of work is. */
export interface Progress extends Disposable {
  /** `done` is in the unit of the total; `task` says what is being worked on; `count` is its own done/total in words. */
  update(state: { readonly done: number; readonly task: string; readonly count: string }): void;
  /** Takes the live line away. */
  [Symbol.dispose](): void;
}

interface ProgressSurroundings {
  readonly total: number;
  /** Redraws one line in place; otherwise writes a plain line now and then. */
  readonly live: boolean;
  readonly stream: Stream;
  readonly colours: ReturnType<typeof createColors>;
  clock(): number;
}

/**
 * Shows task, done/total and the time left, which is the time so far times what is left over what is done.
 *
 * Live lines are redrawn at most ten times a second. Plain lines come every ten seconds.
 */
export function openProgress({ total, live, stream, colours, clock }: ProgressSurroundings): Progress {
  const start = clock();
  const pause = live ? 0.1 : PLAIN_PAUSE;
  let last = live ? Number.NEGATIVE_INFINITY : start;

  function update({ done, task, count }: Parameters<Progress['update']>[0]): void {
    const now = clock();
    if (now - last < pause) return;
    last = now;
    const share = total > 0 ? Math.min(1, done / total) : 1;
    const percent = `${Math.floor(100 * share)} %`.padStart(5);
    const left = timeLeft(now - start, share);
    if (!live) stream.write(`${percent.trim()} · ${task} · ${count}${left}\n`);
    else
      stream.write(
        `${TAKE_AWAY}${fitLine(`${colours.cyan(bar(share))}${percent}  ${task}  ${count}${left}`, stream.columns)}`,
      );
  }

  return {
    update,
    [Symbol.dispose]: () => {
      if (live) stream.write(TAKE_AWAY);
    },
  };
}

// too early a guess would be a bad one: the first run of every network includes its compilation
function timeLeft(elapsed: number, share: number): string {
  return share < 0.02 || elapsed < 2 ? '' : ` · ${formatDuration((elapsed * (1 - share)) / share)} left`;
}

function bar(share: number): string {
  const full = Math.round(share * BAR_CELLS);
  return '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
}

// a line that wraps could not be redrawn in place; colour codes take no room
function fitLine(line: string, columns = 80): string {
  const codes = line.length - line.replace(COLOUR_CODE, '').length;
  return line.slice(0, columns - 1 + codes);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour code begins with the escape character
const COLOUR_CODE = /\u001b\[\d+m/g;
const PLAIN_PAUSE = 10; // seconds
const BAR_CELLS = 20;
