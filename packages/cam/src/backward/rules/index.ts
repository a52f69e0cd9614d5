import type { Rule } from '../rule.ts';
import { alphaBeta, epsilonPlus } from './alpha-beta.ts';
import { epsilon } from './epsilon.ts';
import { gradient } from './gradient.ts';
import { zPlus } from './z-plus.ts';

export const rules = { gradient, zPlus, epsilon, alphaBeta, epsilonPlus } satisfies { [name: string]: Rule };

export type RuleName = keyof typeof rules;
