import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { ModelError, NameError, nearest } from '../src/errors.ts';
import { loadModel } from '../src/onnx/load.ts';
import { readModel } from '../src/onnx/read.ts';
import { type Dim, ModelBuilder } from './support/build-model.ts';

const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

describe('a file that is no ONNX model is refused with what it looks like', () => {
  test.each([
    ['nothing at all', new Uint8Array(), 'an empty file'],
    ['a PNG', bytesOf('\x89PNG\r\n\x1a\n…'), 'a PNG image'],
    ['a JPEG', bytesOf('\xFF\xD8\xFF\xE0..JFIF'), 'a JPEG image'],
    ['a PyTorch archive', bytesOf('PK\x03\x04archive/data.pkl'), 'PyTorch .pt'],
    ['a Keras file', bytesOf('\x89HDF\r\n\x1a\n'), 'HDF5'],
    ['a pickle', bytesOf('\x80\x02}q\x00.'), 'a Python pickle'],
    ['a TensorFlow Lite file', bytesOf('\x1c\0\0\0TFL3...'), 'TensorFlow Lite'],
    ['JSON', bytesOf('{"labels": []}'), 'a JSON file'],
    ['text', bytesOf('Hello, this is the readme of a model.\n'), 'a text file'],
    ['a Git LFS pointer', bytesOf('version https://git-lfs.github.com/spec/v1\n'), 'git lfs pull'],
    ['noise', Uint8Array.from(deflateRawSync('noise '.repeat(9))), 'bytes that break off or follow another format'],
    ['a model without a graph', Uint8Array.of(0x08, 0x08), 'a file without a graph'],
  ])('%s', (_, bytes, told) => {
    expect(() => readModel(bytes)).toThrow(ModelError);
    expect(() => readModel(bytes)).toThrow(told);
  });
});

interface Tiny {
  readonly opset?: number;
  readonly dims?: readonly Dim[];
  readonly end?: (net: ModelBuilder, rows: string) => void;
}

function tiny({ opset = 17, dims = ['batch', 3, 8, 8], end = (net, rows) => net.output(rows) }: Tiny): Uint8Array {
  const net = new ModelBuilder({ opset, input: { dims } });
  const rows = net.node('Flatten', [net.node('GlobalAveragePool', [net.input])], { axis: 1 });
  end(net, rows);
  return net.bytes();
}

describe('a model that is no classifier of images is refused with the reason and the next step', () => {
  test.each([
    ['an old opset', tiny({ opset: 6 }), 'an opset from 7 to 22, got opset 6. Export it again with opset 17'],
    ['a new opset', tiny({ opset: 23 }), 'got opset 23'],
    ['an input of three axes', tiny({ dims: [3, 8, 8] }), '4 axes, got "input" [3, 8, 8]'],
    ['an open size', tiny({ dims: ['batch', 3, 'height', 'width'] }), '--size HxW'],
    ['an open number of channels', tiny({ dims: ['batch', 'channels', 8, 8] }), 'a fixed number of channels'],
    ['no output', tiny({ end: () => {} }), 'the logits of a classifier, got no output'],
    ['maps instead of classes', tiny({ end: (net) => net.output(net.input) }), '"input" [1, 3, 8, 8]'],
    [
      'logits that ignore the image',
      tiny({ end: (net) => net.output(net.weights([1, 3])) }),
      'the same ones for every image',
    ],
    [
      'a value that nothing makes',
      tiny({ end: (net, rows) => net.output(net.node('Add', [rows, 'ghost'])) }),
      '"ghost"',
    ],
    [
      'a value made twice',
      tiny({ end: (net, rows) => net.output(net.node('Relu', [rows], {}, { outputs: [rows] })) }),
      'a second time',
    ],
    [
      'a circle',
      tiny({ end: (net) => net.output(net.node('Relu', ['round'], {}, { outputs: ['round'] })) }),
      'a circle',
    ],
    [
      'matrices that do not fit',
      tiny({ end: (net, rows) => net.output(net.node('MatMul', [rows, net.weights([4, 5])])) }),
      'MatMul',
    ],
  ])('%s', (_, bytes, told) => {
    const error = caught(() => readModel(bytes));
    expect(error).toBeInstanceOf(ModelError);
    expect(String(error)).toContain(told);
  });

  test('two images, or an image and a number', () => {
    for (const dims of [['batch', 3, 8, 8], [1]]) {
      const others = [{ name: 'second', dims }];
      const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 8, 8] }, others });
      const sum = net.node('Add', [net.input, 'second']);
      expect(() => readModel(net.output(net.node('Flatten', [sum])).bytes())).toThrow('one input, a batch of images');
    }
  });

  test('a size that contradicts the graph', () => {
    const told = '8×8 as the graph fixes it, got a size of 9×8. Leave the size out';
    expect(() => readModel(tiny({}), { size: [9, 8] })).toThrow(told);
    expect(readModel(tiny({}), { size: [8, 8] }).input.shape).toEqual([3, 8, 8]);
  });

  test('a size of nothing', () => {
    expect(() => readModel(tiny({ dims: ['batch', 3, 'h', 'w'] }), { size: [0, 8] })).toThrow('at least 1');
  });

  test('a size that the layers do not fit', () => {
    const net = new ModelBuilder({ opset: 17, input: { dims: ['batch', 3, 'h', 'w'] } });
    net.output(net.node('Gemm', [net.node('Flatten', [net.input]), net.weights([192, 5])]));
    expect(readModel(net.bytes(), { size: [8, 8] }).input.shape).toEqual([3, 8, 8]);
    expect(() => readModel(net.bytes(), { size: [9, 9] })).toThrow('expected rows of 192 numbers, got [1, 243]');
  });
});

test('a model that is not there, or is a folder, is refused', async () => {
  await expect(loadModel('no/such/model.onnx')).rejects.toThrow('got no such file. Check the path.');
  await expect(loadModel('.')).rejects.toThrow('got a folder');
});

test('a name that does not exist is answered with the nearest three that do', () => {
  const layers = ['layer1', 'layer2', 'conv1', 'avgpool', 'LAYER4'];
  expect(nearest('layr4', layers, 1)).toEqual(['LAYER4']);
  expect(new NameError('layer', 'layr2', layers).message).toBe(
    'Unknown layer "layr2". Nearest: layer2, layer1, LAYER4.',
  );
  expect(new NameError('class', 'x', []).message).toBe('Unknown class "x". There are none to choose from.');
});

function caught(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
