import { nearest } from './nearest.ts';

/**
 * The command cannot do what was asked: a wrong argument, file or configuration. Its message is one sentence for the
 * person at the terminal; the command ends with exit code 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The run was stopped by ^C; the command ends with exit code 130. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** What `unknownName` says about a name that is not among the choices. */
interface UnknownName {
  /** What kind of thing was named, such as `method`. */
  readonly kind: string;
  readonly name: string;
  readonly choices: readonly string[];
}

/** The error for a name that is not among the choices, with the nearest ones, or all where they are few. */
export function unknownName({ kind, name, choices }: UnknownName): UsageError {
  const few = choices.length <= 8;
  const close = nearest(name, choices);
  const suggestion = close.length > 0 ? ` Did you mean ${close.join(' or ')}?` : '';
  const all = few && close.length === 0 ? ` Choose ${choices.join(', ')}.` : '';
  return new UsageError(`There is no ${kind} "${name}".${suggestion}${all}`);
}

/** The words of a thrown value, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of a failed file operation, such as `ENOENT`; empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
