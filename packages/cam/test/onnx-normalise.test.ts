import { describe, expect, test } from 'vitest';
import type { Graph } from '../src/onnx/graph.ts';
import { readModel } from '../src/onnx/read.ts';
import { type Dim, type Literal, ModelBuilder } from './support/build-model.ts';

function network(dims: readonly Dim[] = ['batch', 3, 4, 4], opset = 13): ModelBuilder {
  return new ModelBuilder({ opset, input: { dims } });
}

function opsOf({ nodes }: Graph): readonly string[] {
  return nodes.map(({ op }) => op);
}

/** batch×3, the mean of each channel. */
function means(net: ModelBuilder, value = net.input): string {
  return net.node('Flatten', [net.node('GlobalAveragePool', [value], {}, { outputs: ['pooled'] })], { axis: 1 });
}

function targetOf(graph: Graph, op: string): readonly number[] {
  const node = graph.nodes.find((candidate) => candidate.op === op);
  return [...(graph.constants.get(node?.inputs[1] ?? '')?.data ?? [])];
}

describe('the logits', () => {
  const endings: readonly (readonly [string, (net: ModelBuilder, softmax: string) => string])[] = [
    ['a Softmax', (_, softmax) => softmax],
    ['a Softmax and an Identity', (net, softmax) => net.node('Identity', [softmax])],
    ['a Softmax and a Cast', (net, softmax) => net.node('Cast', [softmax], { to: 11 })],
    ['a Softmax and a Reshape', (net, softmax) => net.node('Reshape', [softmax, net.integers([-1, 3])])],
    ['a Softmax and a Flatten', (net, softmax) => net.node('Flatten', [softmax])],
  ];
  test.each(endings)('are what goes into %s', (_, end) => {
    const net = network();
    const rows = means(net);
    const graph = readModel(net.output(end(net, net.node('Softmax', [rows], { axis: 1 }))).bytes());
    expect(graph.logits).toBe(rows);
    expect(opsOf(graph)).toEqual(['GlobalAveragePool', 'Flatten']);
  });

  test('of shape N×K×1×1 are flattened', () => {
    const net = network();
    net.output(net.node('Softmax', [net.node('GlobalAveragePool', [net.input])], { axis: 1 }));
    const graph = readModel(net.bytes());
    expect(opsOf(graph)).toEqual(['GlobalAveragePool', 'Flatten']);
    expect(graph.shapes.get(graph.logits)).toEqual([1, 3]);
  });

  test('are the first output of rank 2 where there are several', () => {
    const net = network();
    const rows = means(net);
    const graph = readModel(
      net
        .output(net.node('Relu', [net.input]))
        .output(rows)
        .output(net.node('Neg', [rows]))
        .bytes(),
    );
    expect(graph.logits).toBe(rows);
    expect(opsOf(graph)).toEqual(['GlobalAveragePool', 'Flatten']);
  });
});

describe('nodes that do nothing', () => {
  test('are removed: Identity, Dropout, a Cast of floats to float', () => {
    const net = network();
    const cast = net.node('Cast', [net.node('Identity', [net.input])], { to: 1 });
    const dropout = net.node('Dropout', [cast, net.floats([0.5], [])], {}, { outputs: ['kept', 'mask'] });
    const graph = readModel(net.output(means(net, dropout)).bytes());
    expect(opsOf(graph)).toEqual(['GlobalAveragePool', 'Flatten']);
    expect(graph.nodes[0].inputs).toEqual([net.input]);
  });

  test('stay where they do something: a Dropout whose mask is read, a Cast from another type', () => {
    const net = network();
    net.node('Dropout', [net.input], {}, { outputs: ['kept', 'mask'] });
    const mask = net.node('Cast', ['mask'], { to: 1 });
    const graph = readModel(net.output(means(net, net.node('Mul', ['kept', mask]))).bytes());
    expect(opsOf(graph)).toEqual(['Dropout', 'Cast', 'Mul', 'GlobalAveragePool', 'Flatten']);
  });

  test('are left out of what a network does only in training: statistics and indices that nobody reads', () => {
    const net = network();
    const statistics = [1, 2, 3, 4].map(() => net.floats([1, 1, 1]));
    net.node('BatchNormalization', [net.input, ...statistics], {}, { outputs: ['normed', 'mean', 'var'] });
    const pool = { kernel_shape: [2, 2] };
    net.node('MaxPool', ['normed'], pool, { outputs: ['largest', 'indices'] });
    const graph = readModel(net.output(means(net, 'largest')).bytes());
    expect(graph.nodes.slice(0, 2).map(({ outputs }) => outputs)).toEqual([['normed'], ['largest']]);
  });
});

describe('shape arithmetic', () => {
  test('of a view that keeps the batch becomes a Reshape that copies it', () => {
    const net = network();
    const batch = net.node('Gather', [net.node('Shape', [net.input]), net.integers([0], [])], { axis: 0 });
    const target = net.node('Concat', [net.node('Unsqueeze', [batch, net.integers([0])]), net.integers([-1])], {
      axis: 0,
    });
    const graph = readModel(net.output(net.node('Reshape', [net.input, target])).bytes());
    expect(opsOf(graph)).toEqual(['Reshape']);
    expect(targetOf(graph, 'Reshape')).toEqual([0, 48]);
  });

  test('that merges the batch with another axis infers it', () => {
    const net = network();
    const shape = net.node('Shape', [net.input]);
    const at = (index: number) => net.node('Gather', [shape, net.integers([index])], { axis: 0 });
    const merged = net.node('Concat', [net.node('Mul', [at(0), at(1)]), net.integers([1, 4, 4])], { axis: 0 });
    const maps = net.node('GlobalAveragePool', [net.node('Reshape', [net.input, merged])]);
    const graph = readModel(net.output(net.node('Reshape', [maps, net.integers([-1, 3])])).bytes());
    expect(opsOf(graph)).toEqual(['Reshape', 'GlobalAveragePool', 'Reshape']);
    expect(targetOf(graph, 'Reshape')).toEqual([-1, 1, 4, 4]);
  });

  const halves: readonly (readonly [string, (net: ModelBuilder, length: string) => string])[] = [
    ['Div', (net, length) => net.node('Div', [length, net.integers([2])])],
    ['Cast, Mul and Floor', (net, length) => floored(net, net.node('Cast', [length], { to: 1 }))],
    ['Sub', (net, length) => net.node('Sub', [length, net.integers([2])])],
    [
      'Where and Equal',
      (net, length) =>
        net.node('Where', [net.node('Equal', [length, net.integers([4])]), net.integers([2]), net.integers([9])]),
    ],
    [
      'ReduceProd',
      (net, length) =>
        net.node(
          'ReduceProd',
          [net.node('Concat', [net.node('Div', [length, length]), net.integers([2])], { axis: 0 })],
          { axes: [0] },
        ),
    ],
    [
      'Range and Gather',
      (net, length) =>
        net.node('Gather', [
          net.node('Range', [net.integers([0], []), net.node('Squeeze', [length]), net.integers([1], [])]),
          net.integers([2]),
        ]),
    ],
    [
      'ConstantOfShape',
      (net, length) =>
        net.node('ConstantOfShape', [net.node('Div', [length, length])], {
          value: { tensor: { dims: [1n], dataType: 7, int64Data: [2n] } },
        }),
    ],
  ];
  test.each(halves)('with %s folds to a constant', (_, half) => {
    const net = network();
    const height = net.node('Slice', [net.node('Shape', [net.input]), ...[2, 3].map((bound) => net.integers([bound]))]);
    const cut = net.node('Slice', [net.input, net.integers([0]), half(net, height), net.integers([2])]);
    const graph = readModel(net.output(means(net, cut)).bytes());
    expect(opsOf(graph)).toEqual(['Slice', 'GlobalAveragePool', 'Flatten']);
    expect(graph.shapes.get('pooled')).toEqual([1, 3, 1, 1]);
    expect(graph.shapes.get(graph.nodes[0].outputs[0])).toEqual([1, 3, 2, 4]);
  });

  function floored(net: ModelBuilder, length: string): string {
    return net.node('Cast', [net.node('Floor', [net.node('Mul', [length, net.floats([0.7])])])], { to: 7 });
  }
});

describe('a fixed batch', () => {
  test('is let go where a constant Reshape can copy it', () => {
    const net = network([1, 3, 4, 4]);
    const graph = readModel(net.output(net.node('Reshape', [net.input, net.integers([1, 48])])).bytes());
    expect(graph.input.batch).toBe('any');
    expect(targetOf(graph, 'Reshape')).toEqual([0, 48]);
  });

  test('is let go where the file declares an open one but its Reshape holds 1', () => {
    const net = network(['batch', 3, 4, 4]);
    const graph = readModel(net.output(net.node('Reshape', [net.input, net.integers([1, -1])])).bytes());
    expect([graph.input.batch, targetOf(graph, 'Reshape')]).toEqual(['any', [0, -1]]);
  });

  test('is let go where a Squeeze without axes would take the batch axis at size 1', () => {
    const net = network([1, 3, 4, 4]);
    const graph = readModel(net.output(net.node('Squeeze', [net.node('GlobalAveragePool', [net.input])])).bytes());
    expect([graph.input.batch, targetOf(graph, 'Squeeze')]).toEqual(['any', [2, 3]]);
  });

  test('stays where a constant holds as many rows', () => {
    const net = network([2, 3, 4, 4]);
    const rows = net.node('Concat', [means(net), net.weights([2, 4])], { axis: 1 });
    const graph = readModel(net.output(rows).bytes());
    expect(graph.input.batch).toBe(2);
    expect(graph.shapes.get(graph.logits)).toEqual([2, 7]);
  });
});

describe('channels last', () => {
  test('become channels first, and pairs of Transposes cancel', () => {
    const net = network(['batch', 4, 4, 3]);
    const transpose = (value: string, perm: Literal) => net.node('Transpose', [value], { perm });
    const first = net.node('Relu', [transpose(net.input, [0, 3, 1, 2])]);
    const second = net.node('Relu', [transpose(transpose(first, [0, 2, 3, 1]), [0, 3, 1, 2])]);
    const graph = readModel(net.output(means(net, second)).bytes());
    expect(graph.input.shape).toEqual([3, 4, 4]);
    expect(opsOf(graph)).toEqual(['Relu', 'Relu', 'GlobalAveragePool', 'Flatten']);
  });

  test('are told by an axis of 1 or 3 at the end and none in second place', () => {
    const shapeOf = (...dims: number[]) => {
      const net = network([1, ...dims]);
      return readModel(net.output(net.node('Flatten', [net.input])).bytes()).input.shape;
    };
    expect(shapeOf(6, 5, 1)).toEqual([1, 6, 5]);
    expect(shapeOf(3, 5, 3)).toEqual([3, 5, 3]);
    expect(shapeOf(4, 5, 6)).toEqual([4, 5, 6]);
  });
});
