import type { SuiteInput } from '../study/suite.ts';
import { paper } from './paper.ts';
import { quick } from './quick.ts';
import { smoke } from './smoke.ts';

/** The suites that come with the command. They use its own model and images. */
export const suites = { smoke, quick, paper } satisfies { readonly [name: string]: SuiteInput };
