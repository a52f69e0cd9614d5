import { CommanderError } from 'commander';
import { InterruptedError } from './errors.ts';

/** How the command ends after an error. */
export interface Failure {
  /** 0 after help or version, 1 failed, 2 bad usage, configuration or model, 130 interrupted. */
  readonly code: number;
  /** Empty when there is nothing to say. */
  readonly message: string;
}

/** Exit code and words for an error. What is nobody's mistake but ours is told with its stack. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof InterruptedError) return { code: 130, message: error.message };
  if (error instanceof Error && USER_ERRORS.has(error.name)) return { code: 2, message: oneLine(error.message) };
  if (error instanceof Error && LATER.has(error.name)) return { code: 1, message: error.message };
  if (error instanceof CommanderError) return describeUsage(error);
  return { code: 1, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

// commander has printed help and version by itself
function describeUsage({ code, exitCode, message }: CommanderError): Failure {
  if (exitCode === 0) return { code: 0, message: '' };
  if (code === 'commander.help') return { code: 2, message: '' };
  return {
    code: 2,
    message: `${oneLine(message.replace(/^error: /, ''))}${/[.?]\)?$/.test(message) ? '' : '.'} See cambium --help.`,
  };
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

// nothing to search for in our code: a full disk, a folder in use, a cell that was not to fail
const LATER = new Set(['StorageError', 'LockedError', 'FailFastError']);

// known by name: to import their classes would load ONNX Runtime, which may be what is broken
const USER_ERRORS = new Set(['UsageError', 'ModelError', 'NameError']);
