import type { CamMethod } from '../types.ts';
import { gradCam } from './grad-cam.ts';
import { gradCamPlusPlus } from './grad-cam-plus-plus.ts';
import { randomCam } from './random-cam.ts';
import { relevanceCam } from './relevance-cam.ts';
import { scoreCam } from './score-cam.ts';

/** Any method: the element type of the registry. */
// biome-ignore lint/suspicious/noExplicitAny: a registry holds methods of every options type
export type AnyCamMethod = CamMethod<any>;

export const methods = {
  'grad-cam': gradCam,
  'grad-cam++': gradCamPlusPlus,
  'score-cam': scoreCam,
  'relevance-cam': relevanceCam,
  'random-cam': randomCam,
} satisfies { [name: string]: AnyCamMethod };

export type MethodName = keyof typeof methods;
