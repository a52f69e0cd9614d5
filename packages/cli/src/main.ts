#!/usr/bin/env node
import { join } from 'node:path';
import { codeOf, InterruptedError } from './errors.ts';
import { describeFailure } from './failure.ts';
import { repositoryRoot } from './io/repository.ts';
import { buildProgram } from './program.ts';
import { openUi } from './ui.ts';

const args = process.argv.slice(2);
const plain = args.includes('--no-color'); // wherever it stands, also behind a command
const ui = openUi({
  output: process.stdout,
  errors: process.stderr,
  environment: plain ? { ...process.env, NO_COLOR: '1' } : process.env,
  clock: () => performance.now() / 1000,
});
const root = repositoryRoot();
const stop = new AbortController();
const interrupt = () => {
  if (stop.signal.aborted) return die();
  stop.abort(new InterruptedError('Stopped. The files written so far are whole; the same command starts again.'));
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt); // how schedulers ask
process.stdout.on('error', (error) => {
  if (codeOf(error) !== 'EPIPE') throw error;
  // the reader, such as head, has enough: what is long stops, what is short ends anyway
  stop.abort(new InterruptedError('Stopped: nobody reads the output any more. The files written so far are whole.'));
});

/** Asked twice: does not wait for the network. An orderly exit while it computes in its thread would end in a crash. */
function die(): void {
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal);
  process.kill(process.pid, 'SIGINT');
}

try {
  const surroundings = { ui, root, models: root && join(root, 'models'), began: 0, signal: stop.signal };
  const program = buildProgram(surroundings, (code) => {
    process.exitCode = code;
  });
  await program.parseAsync(
    args.filter((word) => word !== '--no-color'),
    { from: 'user' },
  );
} catch (error) {
  const { code, message } = describeFailure(error);
  if (message !== '') ui.fail(message);
  process.exitCode = code;
}
