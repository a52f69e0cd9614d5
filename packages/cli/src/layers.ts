import { type Graph, listLayers, resolveLayer } from '@cambium/cam';
import { UsageError } from './errors.ts';
import type { LayerChoice } from './explain-pictures.ts';

/**
 * Finds layers by the family's names (`layer4`) or the graph's own; without names, the family's last layer, or the last
 * value of the graph that the logits are computed from. Layers of a single pixel are left out unless they are named:
 * behind a global pooling nothing is left to draw.
 *
 * @throws NameError when there is no such layer, ModelError or UsageError when it has no height and width
 */
export function chooseLayers(names: readonly string[], graph: Graph): LayerChoice[] {
  const wanted = names.length > 0 ? [...new Set(names)] : [lastLayer(graph)];
  return wanted.map((name) => {
    const value = resolveLayer(graph, name);
    return { name, value, shape: graph.shapes.get(value)?.slice(1) };
  });
}

function lastLayer(graph: Graph): string {
  const layers = listLayers(graph).filter(({ shape: [, height, width] = [0, 0, 0] }) => height * width > 1);
  const family = layers.filter((layer) => layer.family);
  const last = (family.length > 0 ? family : layers).at(-1);
  if (!last)
    throw new UsageError(
      'The model has no layer of more than 1×1 pixels, so there is nothing to draw a map from; name a layer with --layer.',
    );
  return last.name;
}
