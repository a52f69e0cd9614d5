import { adcc } from './adcc.ts';
import { averageDrop } from './average-drop.ts';
import { averageSensitivity } from './average-sensitivity.ts';
import { completeness } from './completeness.ts';
import { complexity } from './complexity.ts';
import { continuity } from './continuity.ts';
import { effectiveComplexity } from './effective-complexity.ts';
import { faithfulnessCorrelation } from './faithfulness-correlation.ts';
import { faithfulnessEstimate } from './faithfulness-estimate.ts';
import { focus } from './focus.ts';
import { increaseInConfidence } from './increase-in-confidence.ts';
import { infidelity } from './infidelity.ts';
import { deletion, insertion } from './insertion.ts';
import { irof } from './irof.ts';
import { localLipschitzEstimate } from './local-lipschitz-estimate.ts';
import { localisationAuc } from './localisation-auc.ts';
import { maxSensitivity } from './max-sensitivity.ts';
import { modelParameterRandomisation } from './model-parameter-randomisation.ts';
import { monotonicityCorrelation } from './monotonicity-correlation.ts';
import { nonSensitivity } from './non-sensitivity.ts';
import { pixelFlipping } from './pixel-flipping.ts';
import { pointingGame } from './pointing-game.ts';
import { randomLogit } from './random-logit.ts';
import { regionPerturbation } from './region-perturbation.ts';
import { relativeInputStability } from './relative-input-stability.ts';
import { relevanceMassAccuracy } from './relevance-mass-accuracy.ts';
import { relevanceRankAccuracy } from './relevance-rank-accuracy.ts';
import { road } from './road.ts';
import { selectivity } from './selectivity.ts';
import { sensitivityN } from './sensitivity-n.ts';
import { sparseness } from './sparseness.ts';
import { sufficiency } from './sufficiency.ts';
import { topKIntersection } from './top-k-intersection.ts';
import type { AnyMetric } from './types.ts';

/** Every metric by its name: those of the study first, then by category. */
export const metrics = {
  'region-perturbation': regionPerturbation,
  continuity,
  complexity,
  'non-sensitivity': nonSensitivity,
  'random-logit': randomLogit,
  'pixel-flipping': pixelFlipping,
  insertion,
  deletion,
  selectivity,
  irof,
  road,
  'faithfulness-correlation': faithfulnessCorrelation,
  'faithfulness-estimate': faithfulnessEstimate,
  'monotonicity-correlation': monotonicityCorrelation,
  'sensitivity-n': sensitivityN,
  infidelity,
  sufficiency,
  'average-drop': averageDrop,
  'increase-in-confidence': increaseInConfidence,
  adcc,
  'max-sensitivity': maxSensitivity,
  'average-sensitivity': averageSensitivity,
  'local-lipschitz-estimate': localLipschitzEstimate,
  'relative-input-stability': relativeInputStability,
  sparseness,
  'effective-complexity': effectiveComplexity,
  completeness,
  'model-parameter-randomisation': modelParameterRandomisation,
  'pointing-game': pointingGame,
  'relevance-mass-accuracy': relevanceMassAccuracy,
  'relevance-rank-accuracy': relevanceRankAccuracy,
  'top-k-intersection': topKIntersection,
  'localisation-auc': localisationAuc,
  focus,
} satisfies { readonly [name: string]: AnyMetric };

/** Name of a metric in the registry. */
export type MetricName = keyof typeof metrics;

/** The five metrics of the study. */
export const studyMetrics = [
  'region-perturbation',
  'continuity',
  'complexity',
  'non-sensitivity',
  'random-logit',
] as const satisfies readonly MetricName[];
