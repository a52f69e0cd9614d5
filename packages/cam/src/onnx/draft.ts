import type { Constant, GraphNode } from './graph.ts';

/** A network on its way from file to `Graph`: every pass takes one and returns another. */
export interface Draft {
  readonly opset: number;
  readonly domains: ReadonlyMap<string, number>;
  /** Encoded FunctionProtos, carried untouched. */
  readonly functions: readonly Uint8Array[];
  readonly inputs: readonly DeclaredValue[];
  readonly outputs: readonly DeclaredValue[];
  readonly nodes: readonly GraphNode[];
  readonly constants: ReadonlyMap<string, Constant>;
  /** What the file itself says about the shapes of values between. */
  readonly declared: ReadonlyMap<string, Dimensions>;
  readonly metadata: { readonly [key: string]: string };
}

/** An input or output as the file declares it; `dimensions` is missing where the file tells no shape. */
export interface DeclaredValue {
  readonly name: string;
  readonly dimensions: Dimensions | undefined;
  /** Code of onnx.TensorProto.DataType; 0 where the file does not tell. */
  readonly dataType: number;
}

/** Lengths of axes; a string is a symbolic length, the empty string one without a name. */
export type Dimensions = readonly (number | string)[];
