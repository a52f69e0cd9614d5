import type { SuiteInput } from '../study/suite.ts';

/** Two images through everything, in less than a minute: tells whether an installation works, and nothing else. */
export const smoke: SuiteInput = {
  name: 'smoke',
  title: 'Two images through everything',
  layers: ['layer4'],
  methods: ['grad-cam', { method: 'score-cam', options: { variant: 'faster', channels: 8 } }, 'random-cam'],
  metrics: [
    { metric: 'region-perturbation', options: { patchSize: 56, regions: 4 } },
    { metric: 'continuity', options: { steps: 3 } },
    'complexity',
    { metric: 'non-sensitivity', options: { featuresInStep: 37632 } },
    'random-logit',
  ],
  images: { folder: 'test-fixtures/images', limit: 2 },
  seed: 42,
};
