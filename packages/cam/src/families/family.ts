import type { Graph } from '../onnx/graph.ts';

/** A family of networks whose layers have names that its users know. */
export interface ModelFamily {
  readonly name: string;
  recognise(graph: Graph): boolean;
  /** Short names to the values they stand for, first to last. */
  layers(graph: Graph): { readonly [name: string]: string };
}
