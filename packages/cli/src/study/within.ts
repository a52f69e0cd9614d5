import { ModelError, NameError } from '@cambium/cam';
import { UsageError } from '../errors.ts';

/**
 * Does what a key of the suite asks for. An error of the user's tells the key: `layers[0]: Unknown layer "latte"…`
 *
 * @param place the key; undefined where the command line asked in its stead
 */
export function within<Done>(place: string | undefined, work: () => Done): Done {
  try {
    const done = work();
    if (!(done instanceof Promise)) return done;
    return done.catch((error) => {
      throw placed(place, error);
    }) as Done; // a promise of the same
  } catch (error) {
    throw placed(place, error);
  }
}

function placed(place: string | undefined, error: unknown): unknown {
  const isTheirs = error instanceof UsageError || error instanceof NameError || error instanceof ModelError;
  return place !== undefined && isTheirs ? new UsageError(`${place}: ${error.message}`, { cause: error }) : error;
}
