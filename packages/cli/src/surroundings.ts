import type { Ui } from './ui.ts';

/** What a command is given besides its arguments. */
export interface Surroundings {
  readonly ui: Ui;
  /** The checkout that the command runs from; undefined when it was installed as a package. */
  readonly root: string | undefined;
  /** The folder of the models that come with the command. */
  readonly models: string | undefined;
  /** When the command began, in seconds of `performance.now`: 0, unless it is not the only thing in its process. */
  readonly began: number;
  /** Aborted by ^C. */
  readonly signal: AbortSignal;
}
