import { sizeOf, type Tensor, tensor } from '@cambium/gpu-kernels';
import { ModelError } from './errors.ts';
import { finishMap } from './finish-map.ts';
import type { CamMethod, Explanation, MapFinish, Probe } from './types.ts';

/**
 * Explains the target of a probe with a method: weights, weighted sum of the activations, final map.
 *
 *     activations C×h×w, weights C or C×h×w  →  coarse h×w  →  map H×W
 *
 * @param options replace the method's defaults one by one
 * @param finish replaces parts of how the method makes the final map of the raw one
 * @throws ModelError when the raw map has values that are not finite
 */
export async function explain<O>(
  probe: Probe,
  method: CamMethod<O>,
  options: Partial<O> = {},
  finish: Partial<MapFinish> = {},
): Promise<Explanation> {
  const chosen = { ...method.defaults, ...options };
  const weights = await method.weights(probe, chosen);
  const coarse = weightedSum(probe.activations, weights);
  requireFinite(coarse, method.name, probe.layer);
  const [, , height, width] = probe.image.shape;
  const { map, degenerate } = finishMap(coarse, { ...method.finish(chosen), ...finish }, [height, width]);
  return { map, coarse, degenerate, weights, method: method.name, layer: probe.layer, target: probe.target };
}

/** Σ_k w_k A_k, in double precision. */
function weightedSum(activations: Tensor, weights: Tensor): Tensor {
  const [channels, height, width] = activations.shape;
  const area = height * width;
  const everywhere = weights.data.length === channels;
  if (!everywhere && weights.data.length !== sizeOf(activations.shape)) {
    throw new RangeError(
      `A method gave ${weights.data.length} weights for activations of ${activations.shape.join('×')}.`,
    );
  }
  const sum = new Float64Array(area);
  for (let channel = 0; channel < channels; channel++) {
    const values = activations.data.subarray(channel * area, (channel + 1) * area);
    const own = everywhere ? undefined : weights.data.subarray(channel * area, (channel + 1) * area);
    const weight = weights.data[channel]; // unless every place has its own
    for (let place = 0; place < area; place++) sum[place] += (own ? own[place] : weight) * values[place];
  }
  return tensor(Float32Array.from(sum), [height, width]);
}

function requireFinite(coarse: Tensor, method: string, layer: string): void {
  const bad = coarse.data.find((value) => !Number.isFinite(value));
  if (bad === undefined) return;
  throw new ModelError(
    `${method} at ${layer} came to ${bad}: the network's values or what was propagated there left the range of float32. ` +
      'Try another layer, or check the model for extreme weights.',
  );
}
