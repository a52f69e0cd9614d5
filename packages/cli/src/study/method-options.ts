import { type MethodName, scoreCamVariants } from '@cambium/cam';
import { z } from 'zod';

const scoreVariants = Object.keys(scoreCamVariants) as (keyof typeof scoreCamVariants)[]; // its keys are the names

/** What a suite may say to each method; everything has a default. */
export const methodOptions = {
  'grad-cam': z.strictObject({}),
  'grad-cam++': z.strictObject({
    variant: z.enum(['pytorch-grad-cam', 'paper', 'relevance-cam', 'tf-keras-vis']).optional(),
  }),
  'score-cam': z.strictObject({
    variant: z.enum(scoreVariants).optional(),
    channels: z.int().positive().optional(),
  }),
  'relevance-cam': z.strictObject({
    contrast: z.enum(['1/N', '1/(N-1)', 'none']).optional(),
    start: z.enum(['one', 'logit']).optional(),
    rule: z.enum(['zPlus', 'epsilonPlus']).optional(),
    relu: z.boolean().optional(),
    minMax: z.enum(['after-resize', 'before-resize']).optional(),
  }),
  'random-cam': z.strictObject({}),
} as const satisfies { readonly [method in MethodName]: z.ZodType };
