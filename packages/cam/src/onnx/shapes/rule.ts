import type { Shape } from '@cambium/gpu-kernels';
import { ModelError } from '../../errors.ts';
import { intsOf } from '../attributes.ts';
import type { Constant, GraphNode } from '../graph.ts';

/** What is known of a value before the network runs; `constant` only where every number is. */
export interface Known {
  readonly shape?: Shape;
  readonly constant?: Constant;
}

/** A node with what is known of its inputs; an omitted optional input knows nothing. */
export interface ShapeQuery {
  readonly node: GraphNode;
  readonly inputs: readonly Known[];
  readonly opset: number;
}

/** Shapes of the outputs, as far as the inputs tell; a rule returns nothing where they tell nothing. */
export type ShapeRule = (query: ShapeQuery) => readonly (Shape | undefined)[];

/** A rule for nodes whose first output follows from the shape of their first input. */
export function fromFirst(rule: (shape: Shape, query: ShapeQuery) => Shape | undefined): ShapeRule {
  return (query) => {
    const shape = query.inputs[0]?.shape;
    return shape ? [rule(shape, query)] : [];
  };
}

/** The numbers of a constant input, or undefined where it is missing or not constant. */
export function numbersAt(query: ShapeQuery, index: number): readonly number[] | undefined {
  const constant = query.inputs[index]?.constant;
  return constant && constant.type !== 'encoded' ? Array.from(constant.data) : undefined;
}

/** Whether an optional input is given, constant or not. */
export function isGiven(query: ShapeQuery, index: number): boolean {
  return (query.node.inputs[index] ?? '') !== '';
}

/** A list that moved from an attribute to an input: `fallback` where neither gives it, undefined where it is not constant. */
export function listOf(
  query: ShapeQuery,
  name: string,
  index: number,
  fallback: readonly number[] = [],
): readonly number[] | undefined {
  const attribute = intsOf(query.node.attributes, name);
  if (attribute) return attribute;
  return isGiven(query, index) ? numbersAt(query, index) : fallback;
}

/** Negative axes count from the end. */
export function positiveAxis(query: ShapeQuery, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive >= 0 && positive < rank) return positive;
  throw misfit(query, `an axis of ${rank} axes`, `axis ${axis}`);
}

/** A node whose inputs do not fit each other. */
export function misfit({ node }: ShapeQuery, expected: string, got: string): ModelError {
  return new ModelError({
    where: `Node "${node.name}" (${node.op})`,
    expected,
    got,
    next: 'The input size may not be the one the network was made for, or the file may be damaged.',
  });
}
