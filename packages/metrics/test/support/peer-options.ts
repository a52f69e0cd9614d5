/** The peer's names of options, as ours. */
const names: { readonly [name: string]: string } = {
  abs: 'absolute',
  eps: 'epsilon',
  features_in_step: 'featuresInStep',
  normalise: 'normalise',
  nr_steps: 'steps',
  num_classes: 'classes',
  order: 'order',
  patch_size: 'patchSize',
  perturb_baseline: 'baseline',
  regions_evaluation: 'regions',
  return_nan_when_prediction_changes: 'whenPredictionChanges',
  seed: 'seed',
};

/** Recorded options of the peer as ours. @throws Error for an option that has no name here */
export function optionsFrom(params: { readonly [name: string]: unknown }): object {
  const entries = Object.entries(params).map(([name, value]) => {
    if (!(name in names)) throw new Error(`The option ${name} of the peer has no name here.`);
    if (name === 'normalise') return ['normalise', value ? 'max' : 'none'];
    if (name === 'return_nan_when_prediction_changes') return [names[name], value ? 'refuse' : 'score'];
    return [names[name], value];
  });
  return Object.fromEntries(entries);
}
