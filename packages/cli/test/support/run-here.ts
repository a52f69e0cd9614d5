import { join } from 'node:path';
import { describeFailure } from '../../src/failure.ts';
import { buildProgram } from '../../src/program.ts';
import { openUi } from '../../src/ui.ts';
import { type Ended, root } from './run-cambium.ts';

/** Runs the command in this process: quicker than a process of its own, and the same but for `main.ts`. */
export async function runHere(...args: readonly string[]): Promise<Ended> {
  let output = '';
  let errors = '';
  const ui = openUi({
    output: { write: (text) => (output += text) },
    errors: { write: (text) => (errors += text) },
    environment: { NO_COLOR: '1' },
    clock: () => 0,
  });
  const surroundings = {
    ui,
    root,
    models: join(root, 'models'),
    began: performance.now() / 1000,
    signal: new AbortController().signal,
  };
  try {
    await buildProgram(surroundings, () => undefined).parseAsync(args, { from: 'user' });
    return { code: 0, output, errors };
  } catch (error) {
    const { code, message } = describeFailure(error);
    return { code, output, errors: `${errors}✖ ${message}\n` };
  }
}
