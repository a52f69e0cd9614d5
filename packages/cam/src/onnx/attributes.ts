import type { GraphAttribute, GraphNode } from './graph.ts';

type Attributes = { readonly [name: string]: GraphAttribute };

/** The integer attribute `name`, or `fallback` where the node has none. */
export function intOf(attributes: Attributes, name: string, fallback: number): number {
  const attribute = attributes[name];
  return attribute !== undefined && 'int' in attribute ? attribute.int : fallback;
}

/** The float attribute `name`, or `fallback` where the node has none. */
export function floatOf(attributes: Attributes, name: string, fallback: number): number {
  const attribute = attributes[name];
  return attribute !== undefined && 'float' in attribute ? attribute.float : fallback;
}

/** The list of integers `name`, or undefined where the node has none. */
export function intsOf(attributes: Attributes, name: string): readonly number[] | undefined {
  const attribute = attributes[name];
  return attribute !== undefined && 'ints' in attribute ? attribute.ints : undefined;
}

/** The list of floats `name`, or undefined where the node has none. */
export function floatsOf(attributes: Attributes, name: string): readonly number[] | undefined {
  const attribute = attributes[name];
  return attribute !== undefined && 'floats' in attribute ? attribute.floats : undefined;
}

/** The string attribute `name`, or `fallback` where the node has none. */
export function stringOf(attributes: Attributes, name: string, fallback: string): string {
  const attribute = attributes[name];
  return attribute !== undefined && 'string' in attribute ? attribute.string : fallback;
}

/** The same node with other inputs. */
export function withInputs(node: GraphNode, inputs: readonly string[]): GraphNode {
  return { ...node, inputs };
}
