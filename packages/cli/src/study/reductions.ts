import { type AnyMetric, metrics } from '@cambium/metrics';
import { unscorable } from './map-files.ts';
import type { StudyMetric } from './metrics.ts';
import type { Study, StudyTechnique } from './study.ts';

/** In words, what a study leaves out or takes otherwise than the defaults, which are the papers' or Quantus's. */
export function reductionsOf({ techniques, layers, metrics: measured }: Study): string[] {
  return [
    ...techniques.flatMap((technique) => ofTechnique(technique, layers)),
    ...measured.flatMap(ofMetric),
    ...techniques.flatMap((technique) => ofFiles(technique, measured)),
  ];
}

function ofFiles(technique: StudyTechnique, measured: Study['metrics']): string[] {
  const out = measured.filter((metric) => unscorable(technique, metric)).map(({ name }) => metrics[name].title);
  if (out.length === 0) return [];
  return [`${technique.title} has no ${out.join(' and no ')}: its maps come from files, and those explain again.`];
}

function ofTechnique({ title, options }: StudyTechnique, layers: Study['layers']): string[] {
  const kept = keptChannels(options);
  if (kept === undefined) return [];
  const less = layers.filter(({ shape }) => shape[0] > kept);
  if (less.length === 0) return [];
  const depths = less.map(({ name, shape }) => `${shape[0]} at ${name}`).join(', ');
  return [`${title} masks with ${kept} channels, those that vary most, instead of all (${depths}).`];
}

function ofMetric({ name, options, explainWith }: StudyMetric): string[] {
  const { title, defaults }: AnyMetric = metrics[name];
  const changed = Object.entries(options)
    .filter(([option, value]) => JSON.stringify(value) !== JSON.stringify(defaults[option]))
    .map(([option, value]) => `${option} ${JSON.stringify(value)} instead of ${JSON.stringify(defaults[option])}`);
  const within = Object.entries(explainWith).map(
    ([method, own]) =>
      `${method} with ${Object.entries(own)
        .map(([option, value]) => `${option} ${JSON.stringify(value)}`)
        .join(', ')}`,
  );
  return [
    ...(changed.length > 0 ? [`${title}: ${changed.join(', ')}.`] : []),
    ...(within.length > 0 ? [`${title} explains by ${within.join('; ')}.`] : []),
  ];
}

function keptChannels({ channels, variant }: StudyTechnique['options']): number | undefined {
  if (typeof channels === 'number') return channels;
  return variant === 'faster' ? FASTER_CHANNELS : undefined;
}

/** Channels that Score-CAM's variant `faster` keeps unless told otherwise. */
const FASTER_CHANNELS = 64;
