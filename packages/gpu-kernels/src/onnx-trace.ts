import { type Shape, sizeOf } from './tensor.ts';

/** An attribute of an ONNX node, tagged with its ONNX type. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string };

/** An ONNX node as plain data. An omitted optional input is the empty string. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: { readonly [name: string]: OnnxAttribute };
}

/** A constant tensor of an ONNX graph; `int64` values are held as numbers. */
export interface OnnxConstant {
  readonly type: 'float32' | 'int64';
  readonly shape: Shape;
  readonly data: Float32Array | readonly number[];
}

/**
 * Collects ONNX nodes and constants while kernels are traced.
 *
 * The helpers below `node` hide what changed between opsets 7 and 22 (axes that moved from attributes to inputs), so a
 * kernel's ONNX voice is written once.
 *
 * @source ONNX operator change log, https://onnx.ai/onnx/operators/
 */
export class OnnxTrace {
  readonly opset: number;
  readonly nodes: OnnxNode[] = [];
  readonly constants = new Map<string, OnnxConstant>();
  readonly #prefix: string;

  /** @param prefix begins every name made here; choose one that the surrounding graph does not use */
  constructor(opset: number, prefix = 'cambium') {
    this.opset = opset;
    this.#prefix = prefix;
  }

  /** Appends a node with one output and returns the output's name. */
  node(op: string, inputs: readonly string[], attributes: OnnxNode['attributes'] = {}): string {
    const name = `${this.#prefix}/${op}_${this.nodes.length}`;
    this.nodes.push({ name, op, inputs, outputs: [name], attributes });
    return name;
  }

  floats(data: Float32Array | readonly number[], shape: Shape = [data.length]): string {
    return this.#constant({ type: 'float32', shape, data: Float32Array.from(data) });
  }

  integers(data: readonly number[], shape: Shape = [data.length]): string {
    return this.#constant({ type: 'int64', shape, data });
  }

  /** ReduceSum, ReduceMean, ReduceMax or ReduceMin over `axes`; reduced axes stay with length 1. */
  reduce(op: 'ReduceSum' | 'ReduceMean' | 'ReduceMax' | 'ReduceMin', input: string, axes: readonly number[]): string {
    const axesAreInput = this.opset >= (op === 'ReduceSum' ? 13 : 18);
    return axesAreInput
      ? this.node(op, [input, this.integers(axes)], { keepdims: { int: 1 } })
      : this.node(op, [input], { axes: { ints: axes }, keepdims: { int: 1 } });
  }

  /** Reshape; a 0 copies the input's axis, one −1 is inferred. */
  reshape(input: string, shape: Shape): string {
    return this.node('Reshape', [input, this.integers(shape)]);
  }

  slice(input: string, axis: number, start: number, end: number): string {
    return this.opset >= 10
      ? this.node('Slice', [input, this.integers([start]), this.integers([end]), this.integers([axis])])
      : this.node('Slice', [input], { starts: { ints: [start] }, ends: { ints: [end] }, axes: { ints: [axis] } });
  }

  /** Pads with a constant: `pads` as ONNX has them, all begins and then all ends. */
  pad(input: string, pads: readonly number[], value: number): string {
    return this.opset >= 11
      ? this.node('Pad', [input, this.integers(pads), this.floats([value], [])])
      : this.node('Pad', [input], { pads: { ints: pads }, value: { float: value } });
  }

  /** 1 where the input is not 0, else 0. NaN counts as not 0. */
  nonZero(input: string): string {
    return this.#cast(this.#cast(input, BOOL), FLOAT);
  }

  /** 1 where `left` > `right`, else 0. */
  greater(left: string, right: string): string {
    return this.#cast(this.node('Greater', [left, right]), FLOAT);
  }

  /** `yes` where the condition, a tensor of booleans, holds, else `no`. Before opset 9 both must be finite. */
  choose(condition: string, yes: string, no: string): string {
    if (this.opset >= 9) return this.node('Where', [condition, yes, no]);
    const share = this.#cast(condition, FLOAT);
    const rest = this.node('Sub', [this.floats([1], []), share]);
    return this.node('Add', [this.node('Mul', [yes, share]), this.node('Mul', [no, rest])]);
  }

  #cast(input: string, to: number): string {
    return this.node('Cast', [input], { to: { int: to } });
  }

  #constant(constant: OnnxConstant): string {
    if (constant.data.length !== sizeOf(constant.shape)) {
      throw new RangeError(
        `A constant of shape [${constant.shape.join(', ')}] needs ${sizeOf(constant.shape)} numbers, got ${constant.data.length}.`,
      );
    }
    const name = `${this.#prefix}/constant_${this.constants.size}`;
    this.constants.set(name, constant);
    return name;
  }
}

/** Codes of onnx.TensorProto.DataType. */
const FLOAT = 1;
const BOOL = 9;
