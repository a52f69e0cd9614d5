import type { SuiteInput } from '../study/suite.ts';

/**
 * The study in a few minutes on two CPU cores: what it leaves out of `paper` is told when it runs and in its report.
 */
export const quick: SuiteInput = {
  name: 'quick',
  title: 'Four techniques and random weights at two layers, in minutes',
  layers: ['layer2', 'layer4'],
  methods: [
    'grad-cam',
    'grad-cam++',
    { method: 'score-cam', options: { variant: 'faster', channels: 64 } },
    'relevance-cam',
    'random-cam',
  ],
  metrics: [
    { metric: 'region-perturbation', options: { patchSize: 28, regions: 12 } },
    { metric: 'continuity', options: { steps: 5 }, explainWith: { 'score-cam': { channels: 8 } } },
    'complexity',
    { metric: 'non-sensitivity', options: { featuresInStep: 12544 } },
    'random-logit',
  ],
  seed: 42,
};
