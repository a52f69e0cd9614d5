import type { Graph } from '../onnx/graph.ts';
import type { ModelFamily } from './family.ts';
import { resnet } from './resnet.ts';

export const families = { resnet } satisfies { [name: string]: ModelFamily };

/** The family a graph belongs to, or undefined: its layers then go by the names of its values alone. */
export function recogniseFamily(graph: Graph): ModelFamily | undefined {
  return Object.values(families).find((family) => family.recognise(graph));
}
