import { ModelBuilder, tensorOf, types } from './build-model.ts';
import type { Network } from './networks.ts';
import { batchNorm } from './pytorch-networks.ts';

/** Small classifiers of 3×8×8 images with weights stored in other ways than as float32 initialisers, and odd guests. */
export const otherNetworks: readonly Network[] = [
  paddle(11),
  paddle(16),
  halves('cast'),
  halves('throughout'),
  doubles(),
  quantised(13, 'int8', 'per tensor'),
  quantised(13, 'int8', 'per channel'),
  quantised(13, 'uint8', 'per channel'),
  quantised(10, 'uint8', 'per tensor'),
  throughCast(),
  withSubgraph(),
  withFunction(),
  withForeignOperator(),
  unsorted(),
];

/** paddle2onnx: weights in Constant nodes or shared through Identity, Scale as Mul and Add, batch norm with its statistics. */
function paddle(opset: number): Network {
  const net = new ModelBuilder({ opset, input: { name: 'x', dims: [-1, 3, 8, 8] }, seed: opset });
  const shared = net.node('Identity', [net.weights([4, 4, 3, 3])]);
  const numbers = Array.from({ length: 4 * 3 * 9 }, () => net.random.uniformBetween(-0.5, 0.5));
  const stored = net.node('Constant', [], { value: { tensor: tensorOf(numbers, [4, 3, 3, 3], 'float') } });
  const pads = { pads: [1, 1, 1, 1], kernel_shape: [3, 3] };
  const first = batchNorm(net, net.node('Conv', [net.input, stored], pads), 4);
  const second = net.node('Conv', [net.node('Relu', [first]), shared], pads);
  const third = net.node('Conv', [net.node('Relu', [second]), net.node('Identity', [shared])], pads);
  const bias = net.node('Reshape', [net.weights([4]), net.integers([1, 4, 1, 1])]);
  const scaled = net.node('Add', [net.node('Mul', [third, net.floats([0.5])]), bias]);
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [scaled])], { axis: 1 });
  const logits = net.node('Add', [net.node('MatMul', [rows, net.weights([4, 5])]), net.weights([5])]);
  net.output(net.node('Softmax', [logits], { axis: 1 }), [-1, 5]);
  return { title: `paddle2onnx opset ${opset}`, bytes: net.bytes(), batch: 'batch', open: true, softmax: true };
}

/** float16: all values between two Casts, or from input to output. */
function halves(where: 'cast' | 'throughout'): Network {
  const type = where === 'cast' ? 'float' : 'float16';
  const net = new ModelBuilder({ opset: 13, input: { dims: ['batch', 3, 8, 8], type }, seed: 1 });
  const weights = (...shape: number[]) =>
    net.floats(
      Array.from({ length: shape.reduce((a, b) => a * b) }, () => net.random.uniformBetween(-0.5, 0.5)),
      shape,
      'float16',
    );
  const input = where === 'cast' ? net.node('Cast', [net.input], { to: types.float16 }) : net.input;
  const conv = net.node('Relu', [net.node('Conv', [input, weights(4, 3, 3, 3), weights(4)], { kernel_shape: [3, 3] })]);
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [conv])], { axis: 1 });
  const logits = net.node('Gemm', [rows, weights(4, 5), weights(5)]);
  net.output(where === 'cast' ? net.node('Cast', [logits], { to: types.float }) : logits, ['batch', 5], type);
  const twin = where === 'cast' ? undefined : halves('cast').bytes;
  return { title: `float16, ${where}`, bytes: net.bytes(), batch: 'batch', open: true, tolerance: 1e-2, twin };
}

/** double weights cast to float, and a product in double between two Casts. */
function doubles(): Network {
  const net = new ModelBuilder({ opset: 13, input: { dims: ['batch', 3, 8, 8] }, seed: 2 });
  const weights = (...shape: number[]) =>
    net.floats(
      Array.from({ length: shape.reduce((a, b) => a * b) }, () => net.random.uniformBetween(-0.5, 0.5)),
      shape,
      'double',
    );
  const conv = net.node('Conv', [net.input, net.node('Cast', [weights(4, 3, 3, 3)], { to: types.float })], {
    kernel_shape: [3, 3],
  });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [conv])], { axis: 1 });
  const wide = net.node('Cast', [rows], { to: types.double });
  const logits = net.node('Cast', [net.node('MatMul', [wide, weights(4, 5)])], { to: types.float });
  net.output(logits, ['batch', 5]);
  return { title: 'double', bytes: net.bytes(), batch: 'batch', open: true };
}

function quantised(opset: number, type: 'int8' | 'uint8', scales: 'per tensor' | 'per channel'): Network {
  const net = new ModelBuilder({ opset, input: { dims: ['batch', 3, 8, 8] }, seed: 3 });
  const low = type === 'int8' ? -127 : 0;
  const stored = (shape: readonly number[], axis: number) => {
    const numbers = Array.from({ length: shape.reduce((a, b) => a * b) }, () => net.random.integer(low, low + 255));
    const groups = scales === 'per tensor' ? 1 : shape[axis];
    const each = (value: () => number) => Array.from({ length: groups }, value);
    const shapeOfScale = scales === 'per tensor' ? [] : [groups];
    const scale = net.floats(
      each(() => net.random.uniformBetween(0.001, 0.01)),
      shapeOfScale,
    );
    const zero = net.integers(
      each(() => net.random.integer(low + 100, low + 140)),
      shapeOfScale,
      type,
    );
    const attributes: { axis?: number } = scales === 'per tensor' ? {} : { axis };
    return net.node('DequantizeLinear', [net.node('Identity', [net.integers(numbers, shape, type)]), scale, zero], {
      ...attributes,
    });
  };
  const conv = net.node('Conv', [net.input, stored([4, 3, 3, 3], 0)], { kernel_shape: [3, 3] });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [net.node('Relu', [conv])])], { axis: 1 });
  net.output(net.node('Gemm', [rows, stored([4, 5], 1), net.weights([5])]), ['batch', 5]);
  return { title: `${type} ${scales}, opset ${opset}`, bytes: net.bytes(), batch: 'batch', open: true };
}

/** int8 weights without zero point that reach DequantizeLinear by way of a Cast, in lists instead of raw bytes. */
function throughCast(): Network {
  const net = new ModelBuilder({ opset: 13, input: { dims: ['batch', 3, 8, 8] }, seed: 4 });
  const int32Data = Array.from({ length: 4 * 3 * 9 }, () => net.random.integer(-100, 100));
  const stored = net.initialiser({ dims: [4n, 3n, 3n, 3n], dataType: types.int32, int32Data });
  const weights = net.node('Mul', [net.node('Cast', [stored], { to: types.float }), net.floats([0.01], [1, 1, 1, 1])]);
  const scaled = net.node('DequantizeLinear', [
    net.initialiser({ dims: [4n, 5n], dataType: types.int8, int32Data: int32Data.slice(0, 20) }),
    net.floats([0.01], []),
  ]);
  const conv = net.node('Relu', [net.node('Conv', [net.input, weights], { kernel_shape: [3, 3] })]);
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [conv])], { axis: 1 });
  net.output(net.node('MatMul', [rows, scaled]), ['batch', 5]);
  return { title: 'integers through Cast and Mul', bytes: net.bytes(), batch: 'batch', open: true };
}

/** An If whose branches read values from outside: what they read keeps its name, though an Identity makes it. */
function withSubgraph(): Network {
  const net = new ModelBuilder({ opset: 13, input: { dims: ['batch', 3, 8, 8] }, seed: 5 });
  const pooled = net.node('GlobalAveragePool', [net.input]);
  const outer = net.node('Identity', [net.node('Flatten', [pooled], { axis: 1 })]);
  const branch = (op: string) => {
    const graph = new ModelBuilder({ opset: 13 });
    return graph.output(graph.node(op, [outer], {}, { outputs: [`${op}_result`] }));
  };
  const positive = net.node('Greater', [net.node('ReduceMax', [pooled], { keepdims: 0 }), net.floats([0], [])]);
  const chosen = net.node('If', [positive], {
    then_branch: { graph: branch('Relu') },
    else_branch: { graph: branch('Neg') },
  });
  net.declare(chosen, ['batch', 3]).output(net.node('MatMul', [chosen, net.weights([3, 5])]), ['batch', 5]);
  return { title: 'a subgraph', bytes: net.bytes(), batch: 'batch', open: true };
}

/** An operator that the file defines itself. */
function withFunction(): Network {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] }, domains: { local: 1 }, seed: 6 });
  net.function({
    name: 'Twice',
    domain: 'local',
    input: ['x'],
    output: ['y'],
    node: [{ opType: 'Add', input: ['x', 'x'], output: ['y'] }],
    opsetImport: [{ domain: '', version: 17n }],
  });
  const twice = net.node('Twice', [net.input], {}, { domain: 'local' });
  net.declare(twice, ['batch', 3, 8, 8]);
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [twice])], { axis: 1 });
  net.output(net.node('MatMul', [rows, net.weights([3, 5])]), ['batch', 5]);
  return { title: 'a function of its own', bytes: net.bytes(), batch: 'batch', open: true };
}

/** An operator of another domain, in a file that fixes the batch: nobody knows whether another would run. */
function withForeignOperator(): Network {
  const net = new ModelBuilder({ opset: 17, input: { dims: [1, 3, 8, 8] }, domains: { 'com.microsoft': 1 }, seed: 7 });
  const gelu = net.node('Gelu', [net.input], {}, { domain: 'com.microsoft' });
  net.declare(gelu, [1, 3, 8, 8]);
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [gelu])], { axis: 1 });
  net.output(net.node('MatMul', [rows, net.weights([3, 5])]), [1, 5]);
  return { title: 'an operator of another domain', bytes: net.bytes(), batch: 1, open: false };
}

/** Nodes in another order than they run in, and a branch that nothing reads. */
function unsorted(): Network {
  const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] }, seed: 8 });
  net.node('MatMul', ['rows', net.weights([3, 5])], {}, { outputs: ['logits'] });
  net.node('Flatten', ['pooled'], { axis: 1 }, { outputs: ['rows'] });
  net.node('Relu', ['pooled'], {}, { outputs: ['unread'] });
  net.node('GlobalAveragePool', [net.input], {}, { outputs: ['pooled'] });
  net.output('logits', ['batch', 5]);
  return { title: 'nodes out of order', bytes: net.bytes(), batch: 'batch', open: true };
}
