import type { OnnxAttribute, Shape } from '@cambium/gpu-kernels';

/**
 * A network as plain data: what `readModel` makes of an ONNX file and `writeModel` turns back into one.
 *
 * Every floating-point value is float32, whatever the file stored; images enter as batch×channels×height×width, whatever
 * layout the file expects; shape arithmetic and constant nodes are folded; nodes stand in topological order.
 */
export interface Graph {
  readonly opset: number;
  /** Further operator sets that the nodes use, by domain. */
  readonly domains: ReadonlyMap<string, number>;
  readonly input: GraphInput;
  /** Value of shape batch×classes: the logits, before a Softmax that may end the file's own graph. */
  readonly logits: string;
  readonly nodes: readonly GraphNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  /** Shapes that could be inferred, with 1 as the length of the batch axis. */
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly metadata: { readonly [key: string]: string };
  /** Encoded FunctionProtos: operators that the file defines itself, carried untouched. */
  readonly functions?: readonly Uint8Array[];
}

/** The image input of a graph. */
export interface GraphInput {
  readonly name: string;
  /** channels×height×width */
  readonly shape: readonly [number, number, number];
  /** `any`, or the one batch size that the graph is fixed to where that could not be lifted. */
  readonly batch: 'any' | number;
}

/** One operation of a graph; its attributes as the ONNX operator of that name defines them. */
export interface GraphNode {
  readonly name: string;
  /** Operator type, such as `Conv`. */
  readonly op: string;
  /** Operator domain; the empty string is ONNX's own. */
  readonly domain: string;
  /** An omitted optional input is the empty string. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: { readonly [name: string]: GraphAttribute };
}

/** `encoded` carries, untouched, an attribute that Cambium does not read (a subgraph, say): AttributeProto bytes. */
export type GraphAttribute =
  | OnnxAttribute
  | { readonly strings: readonly string[] }
  | { readonly tensor: Constant }
  | { readonly encoded: Uint8Array };

/**
 * A constant tensor. Integers and booleans are numbers. `encoded` holds what Cambium does not read: raw little-endian
 * bytes of other types, or, for strings (data type 8), the whole TensorProto.
 */
export type Constant =
  | { readonly type: 'float32'; readonly shape: Shape; readonly data: Float32Array<ArrayBuffer> }
  | {
      readonly type: 'int64' | 'int32' | 'int8' | 'uint8' | 'bool';
      readonly shape: Shape;
      readonly data: readonly number[] | Int8Array | Uint8Array | Int32Array;
    }
  | { readonly type: 'encoded'; readonly dataType: number; readonly shape: Shape; readonly data: Uint8Array };
