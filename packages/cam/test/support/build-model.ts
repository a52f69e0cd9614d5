import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { numpyRandom, type Random, type Shape, sizeOf } from '@cambium/gpu-kernels';
import {
  AttributeProtoSchema,
  type FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../src/onnx/schema/onnx_pb.js';

/** Data type codes of ONNX under the names that exporters use. */
export const types = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float16: 10, double: 11 } as const;

/** Name of a data type. */
export type TypeName = keyof typeof types;
/** Length of an axis; a string is a symbol. */
export type Dim = number | string;

/** An attribute as a literal: a number is an int, a list of numbers ints, a string a string, the rest say what they are. */
export type Literal =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: MessageInitShape<typeof TensorProtoSchema> }
  | { readonly graph: ModelBuilder };

/** What a model is apart from its nodes. */
export interface ModelOptions {
  readonly opset: number;
  readonly input?: { readonly name?: string; readonly dims: readonly Dim[]; readonly type?: TypeName };
  /** Inputs besides the image. */
  readonly others?: readonly { readonly name: string; readonly dims: readonly Dim[] }[];
  readonly domains?: { readonly [domain: string]: number };
  readonly seed?: number;
}

/**
 * Builds small ONNX files the way exporters lay them out, straight from the schema and with none of the code under
 * test. Every value is named by the call that makes it.
 */
export class ModelBuilder {
  readonly opset: number;
  readonly input: string;
  readonly random: Random;
  readonly #options: ModelOptions;
  readonly #nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  readonly #tensors: MessageInitShape<typeof TensorProtoSchema>[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #declared: ValueInfoProto[] = [];
  readonly #functions: MessageInitShape<typeof FunctionProtoSchema>[] = [];

  constructor(options: ModelOptions) {
    this.#options = options;
    this.opset = options.opset;
    this.input = options.input?.name ?? 'input';
    this.random = numpyRandom(options.seed ?? 7);
  }

  /** Appends a node and returns the name of its first output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: { readonly [name: string]: Literal } = {},
    place: Place = {},
  ): string {
    const outputs = place.outputs ?? [`${op.toLowerCase()}_${this.#nodes.length}`];
    const attribute = Object.entries(attributes).map(([name, value]) =>
      create(AttributeProtoSchema, { name, ...fieldsOf(value) }),
    );
    this.#nodes.push(
      create(NodeProtoSchema, {
        opType: op,
        domain: place.domain ?? '',
        input: [...inputs],
        output: [...outputs],
        attribute,
      }),
    );
    return outputs[0];
  }

  /** An initialiser of random weights between −`scale` and `scale`. */
  weights(shape: Shape, scale = 0.5): string {
    return this.floats(
      Array.from({ length: sizeOf(shape) }, () => this.random.uniformBetween(-scale, scale)),
      shape,
    );
  }

  floats(
    numbers: readonly number[],
    shape: Shape = [numbers.length],
    type: 'float' | 'double' | 'float16' = 'float',
  ): string {
    return this.initialiser(tensorOf(numbers, shape, type));
  }

  integers(numbers: readonly number[], shape: Shape = [numbers.length], type: TypeName = 'int64'): string {
    return this.initialiser(tensorOf(numbers, shape, type));
  }

  initialiser(tensor: MessageInitShape<typeof TensorProtoSchema>): string {
    const name = `weight_${this.#tensors.length}`;
    this.#tensors.push({ ...tensor, name });
    return name;
  }

  output(name: string, dims?: readonly Dim[], type: TypeName = 'float'): this {
    this.#outputs.push(declare(name, type, dims));
    return this;
  }

  /** Tells the shape of a value between, as value_info does. */
  declare(name: string, dims: readonly Dim[]): this {
    this.#declared.push(declare(name, 'float', dims));
    return this;
  }

  function(definition: MessageInitShape<typeof FunctionProtoSchema>): this {
    this.#functions.push(definition);
    return this;
  }

  graph() {
    const { input, others = [] } = this.#options;
    return create(GraphProtoSchema, {
      name: 'tiny',
      node: this.#nodes,
      initializer: this.#tensors,
      input: [
        ...(input ? [declare(this.input, input.type ?? 'float', input.dims)] : []),
        ...others.map(({ name, dims }) => declare(name, 'float', dims)),
      ],
      output: this.#outputs,
      valueInfo: this.#declared,
    });
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const domains = Object.entries(this.#options.domains ?? {});
    const opsetImport = [['', this.opset] as const, ...domains].map(([domain, version]) => ({
      domain,
      version: BigInt(version),
    }));
    const irVersion = this.opset > 20 ? 10n : 8n;
    return toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { irVersion, graph: this.graph(), opsetImport, functions: this.#functions }),
    );
  }
}

interface Place {
  readonly outputs?: readonly string[];
  readonly domain?: string;
}

/** A stored tensor; floats are rounded to the type. */
export function tensorOf(
  numbers: readonly number[],
  shape: Shape,
  type: TypeName,
): MessageInitShape<typeof TensorProtoSchema> {
  const array = arrayOf(numbers, type);
  const rawData = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  return { dims: shape.map(BigInt), dataType: types[type], rawData };
}

function arrayOf(numbers: readonly number[], type: TypeName) {
  switch (type) {
    case 'float':
      return Float32Array.from(numbers);
    case 'double':
      return Float64Array.from(numbers);
    case 'float16':
      return Uint16Array.from(numbers, halfBits);
    case 'int64':
      return BigInt64Array.from(numbers, BigInt);
    case 'int32':
      return Int32Array.from(numbers);
    default:
      return Uint8Array.from(numbers);
  }
}

/** The bit pattern of the binary16 nearest to a number of ordinary size; smaller than 2⁻¹⁴ becomes 0. */
export function halfBits(value: number): number {
  const size = Math.abs(value);
  if (size < 2 ** -14) return 0;
  const exponent = Math.floor(Math.log2(size));
  const fraction = Math.round((size / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + fraction;
}

function fieldsOf(value: Literal): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { type: 2, i: BigInt(value) };
  if (typeof value === 'string') return { type: 3, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: 1, f: value.float };
  if ('floats' in value) return { type: 6, floats: [...value.floats] };
  if ('tensor' in value) return { type: 4, t: value.tensor };
  if ('graph' in value) return { type: 5, g: value.graph.graph() };
  return { type: 7, ints: value.map(BigInt) };
}

function declare(name: string, type: TypeName, dims: readonly Dim[] | undefined): ValueInfoProto {
  const dim = dims?.map((length) => ({
    value:
      typeof length === 'number'
        ? { case: 'dimValue' as const, value: BigInt(length) }
        : { case: 'dimParam' as const, value: length },
  }));
  return create(ValueInfoProtoSchema, { name, type: { tensorType: { elemType: types[type], shape: dim && { dim } } } });
}
