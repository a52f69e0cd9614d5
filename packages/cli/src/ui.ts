import pc from 'picocolors';
import { openProgress, type Progress, TAKE_AWAY } from './progress.ts';

/** The part of a terminal stream that the command uses. */
export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Everything the command says. Results go to standard output, all else to standard error. */
export interface Ui {
  /** A line of the result. */
  print(line: string): void;
  /** A remark about what is being done. */
  note(line: string): void;
  /** What went wrong, in one line. */
  fail(message: string): void;
  /** A line that shows how far the work is. `total` is in any unit of work. */
  progress(total: number): Progress;
  readonly colours: ReturnType<typeof pc.createColors>;
}

/** Where the words go and what the environment says about them. */
interface UiSurroundings {
  readonly output: Stream;
  readonly errors: Stream;
  readonly environment: { readonly [name: string]: string | undefined };
  /** Seconds since any moment. */
  clock(): number;
}

/**
 * Speaks to a terminal, or in plain lines to anything else.
 *
 * Colours: as NO_COLOR and FORCE_COLOR say, else on terminals. The progress line is redrawn in place on a terminal,
 * unless CI is set.
 */
export function openUi({ output, errors, environment, clock }: UiSurroundings): Ui {
  const { NO_COLOR, FORCE_COLOR, CI } = environment;
  const coloured = !NO_COLOR && (Boolean(FORCE_COLOR) || (errors.isTTY === true && !CI));
  const colours = pc.createColors(coloured);
  const live = errors.isTTY === true && !CI;
  let drawn = 0; // progress lines that are up
  const away = () => (live && drawn > 0 ? TAKE_AWAY : ''); // words take its place; it comes back with the next update
  return {
    print: (line) => output.write(`${output.isTTY ? away() : ''}${line}\n`),
    note: (line) => errors.write(`${away()}${colours.dim(line)}\n`),
    fail: (message) => errors.write(`${away()}${colours.red('✖')} ${message}\n`),
    progress(total) {
      const line = openProgress({ total, live, stream: errors, colours, clock });
      drawn++;
      return {
        update: line.update,
        [Symbol.dispose]: () => {
          drawn--;
          line[Symbol.dispose]();
        },
      };
    },
    colours,
  };
}
