import type { Tensor } from '@cambium/gpu-kernels';
import type { Constant, Graph, GraphNode } from '../../src/onnx/graph.ts';

/** A layer as the plainest thing there is: a matrix with a bias, in double precision. */
export interface Dense {
  /** Rows are outputs, columns inputs. */
  readonly matrix: readonly Float64Array[];
  readonly bias: Float64Array;
  readonly relu: boolean;
  readonly kind: 'conv' | 'mean' | 'dense';
  /** Name of the value after the ReLU, or of the output. */
  readonly value: string;
}

/** `plainNet` written out as matrices: convolutions, global mean and dense layer alike. */
export function naiveLayers(graph: Graph): Dense[] {
  const [conv1, relu1, conv2, relu2, mean, , gemm] = graph.nodes;
  return [
    convolutionMatrix(graph, conv1, [3, 6, 6], relu1.outputs[0]),
    convolutionMatrix(graph, conv2, [5, 6, 6], relu2.outputs[0]),
    meanMatrix(7, 9, mean.outputs[0]),
    denseMatrix(graph, gemm),
  ];
}

/** Values before and after every layer, the input first. */
export function naiveForward(layers: readonly Dense[], image: Tensor): Float64Array[] {
  const values: Float64Array[] = [Float64Array.from(image.data)];
  for (const layer of layers) values.push(applyDense(layer, values[values.length - 1]));
  return values;
}

function applyDense({ matrix, bias, relu }: Dense, input: Float64Array): Float64Array {
  return Float64Array.from(matrix, (row, output) => {
    const sum = row.reduce((total, weight, index) => total + weight * input[index], bias[output]);
    return relu ? Math.max(sum, 0) : sum;
  });
}

function numbers(graph: Graph, name: string): Constant & { type: 'float32' } {
  const constant = graph.constants.get(name);
  if (constant?.type !== 'float32') throw new Error(`${name} is no constant`);
  return constant;
}

function convolutionMatrix(graph: Graph, node: GraphNode, [channels, height, width]: number[], value: string): Dense {
  const { data, shape } = numbers(graph, node.inputs[1]);
  const bias = numbers(graph, node.inputs[2]).data;
  const stride = node.attributes.strides && 'ints' in node.attributes.strides ? node.attributes.strides.ints[0] : 1;
  const [out, , kernel] = shape;
  const size = Math.floor((height + 2 - kernel) / stride) + 1;
  const matrix: Float64Array[] = [];
  for (let o = 0; o < out; o++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const row = new Float64Array(channels * height * width);
        for (let c = 0; c < channels; c++)
          for (let ky = 0; ky < kernel; ky++)
            for (let kx = 0; kx < kernel; kx++) {
              const [sy, sx] = [y * stride + ky - 1, x * stride + kx - 1];
              if (sy < 0 || sy >= height || sx < 0 || sx >= width) continue;
              row[(c * height + sy) * width + sx] = data[((o * channels + c) * kernel + ky) * kernel + kx];
            }
        matrix.push(row);
      }
  const biases = Float64Array.from(
    { length: out * size * size },
    (_, index) => bias[Math.floor(index / (size * size))],
  );
  return { matrix, bias: biases, relu: true, kind: 'conv', value };
}

function meanMatrix(channels: number, area: number, value: string): Dense {
  const matrix = Array.from({ length: channels }, (_, channel) =>
    Float64Array.from({ length: channels * area }, (_, index) => (Math.floor(index / area) === channel ? 1 / area : 0)),
  );
  return { matrix, bias: new Float64Array(channels), relu: false, kind: 'mean', value };
}

function denseMatrix(graph: Graph, node: GraphNode): Dense {
  const { data, shape } = numbers(graph, node.inputs[1]);
  const [out, inputs] = shape;
  const matrix = Array.from({ length: out }, (_, row) =>
    Float64Array.from(data.slice(row * inputs, (row + 1) * inputs)),
  );
  return {
    matrix,
    bias: Float64Array.from(numbers(graph, node.inputs[2]).data),
    relu: false,
    kind: 'dense',
    value: node.outputs[0],
  };
}
