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

/** The words of a thrown value, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of a failed file operation, such as `ENOENT`; empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
