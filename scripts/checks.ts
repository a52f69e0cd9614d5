import { spawnSync } from 'node:child_process';

/** A command to check. */
export interface Check {
  readonly title: string;
  readonly command: string;
  readonly parameters: readonly string[];
  readonly directory: string;
  /** Text that the command must print, if any. */
  readonly prints?: string;
}

/** Checks by running commands, and remembers what failed. */
export interface Checks {
  readonly failures: readonly string[];
  /** Runs a command; prints one line when it succeeds and everything it wrote when it does not. */
  run(check: Check): boolean;
  /** One line when `reason` is empty, the reason otherwise. */
  expect(title: string, reason: string): void;
}

export function startChecks(): Checks {
  const failures: string[] = [];
  const expect = (title: string, reason: string) => {
    console.log(reason === '' ? `ok      ${title}` : `failed  ${title}\n${reason}`);
    if (reason !== '') failures.push(title);
  };
  return {
    failures,
    expect,
    run({ title, command, parameters, directory, prints = '' }) {
      const { status, error, stdout, stderr } = spawnSync(command, parameters, { cwd: directory, encoding: 'utf8' });
      const succeeded = status === 0 && stdout.includes(prints);
      const missing = status === 0 && prints ? `It did not print: ${prints}\n` : '';
      expect(
        title,
        succeeded ? '' : `${missing}${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}` || `exit ${status}`,
      );
      return succeeded;
    },
  };
}
