import { studyMetrics } from '@cambium/metrics';
import type { SuiteInput } from '../study/suite.ts';

/**
 * The study as it would be with any amount of time: every channel of Score-CAM in its authors' form, and each metric
 * with the defaults of Quantus. Nothing is reduced.
 */
export const paper: SuiteInput = {
  name: 'paper',
  title: 'Four techniques and random weights at two layers, Quantus’s parameters',
  layers: ['layer2', 'layer4'],
  methods: [
    'grad-cam',
    'grad-cam++',
    { method: 'score-cam', options: { variant: 'author' } },
    'relevance-cam',
    'random-cam',
  ],
  metrics: [...studyMetrics],
  seed: 42,
};
