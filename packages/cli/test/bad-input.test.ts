import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flatModel } from './support/flat-model.ts';
import { root, runCambium, temporaryFolder } from './support/run-cambium.ts';
import { runHere } from './support/run-here.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const image = join(root, 'test-fixtures', 'images', 'bubbly.png');
const model = join(root, 'models', 'resnet50-textures10.onnx');
const out = at('out');

beforeAll(() => {
  writeFileSync(at('empty.png'), '');
  writeFileSync(at('broken.png'), readFileSync(image).subarray(0, 5000));
  writeFileSync(at('huge.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="6000"/>');
  writeFileSync(at('text.onnx'), 'this is not a model');
  writeFileSync(at('truncated.onnx'), readFileSync(model).subarray(0, 1_000_000));
  writeFileSync(at('flat.onnx'), flatModel());
  writeFileSync(at('two.txt'), 'one\ntwo\n');
  mkdirSync(at('changed'));
  writeFileSync(at('changed/resnet50-textures10.onnx'), 'changed');
  copyFileSync(join(root, 'models', 'manifest.json'), at('changed/manifest.json'));
  mkdirSync(at('twin'));
  copyFileSync(image, at('twin/Bubbly.png'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const explain = (...args: string[]) => ['explain', image, '-o', out, ...args];

type Case = [title: string, args: () => string[], says: RegExp];

const commandLine: Case[] = [
  ['an unknown subcommand of list', () => ['list', 'layer'], /Did you mean layers\?/],
  ['no image', () => ['explain'], /image/],
  [
    'an unknown variant',
    () => explain('--method', 'score-cam', '--variant', 'fast'),
    /variant of score-cam "fast"\. Nearest: faster/,
  ],
  ['a variant without score-cam', () => explain('--variant', 'faster'), /--variant is an option of score-cam/],
  ['a class index out of range', () => explain('--class', '10'), /no class 10.*0 to 9/],
  ['an unknown colour map', () => explain('--colormap', 'virdis'), /colormap "virdis".*viridis/],
  ['an unknown format', () => explain('--format', 'jpg'), /format "jpg".*png/],
  ['an unknown device', () => explain('--device', 'gpus'), /device "gpus".*gpu/],
  ['an unknown precision', () => explain('--precision', 'f8'), /precision "f8".*f16/],
  [
    'a precision that the device has not',
    () => explain('--device', 'cpu', '--precision', 'f16'),
    /--precision f16 is computed on a GPU \(--device gpu\), not on --device cpu/,
  ],
  ['a share above 1', () => explain('--alpha', '1.5'), /--alpha takes a number from 0 to 1, got "1.5"/],
  ['a batch of nothing', () => explain('--batch', '0'), /--batch takes a whole number from 1/],
  ['a malformed size', () => explain('--size', '224'), /--size takes height x width/],
  ['a size that the model does not take', () => explain('--size', '100x100'), /224/],
  ['a mean of two numbers', () => explain('--mean', '0.5,0.5'), /--mean takes three numbers/],
  ['too few labels', () => explain('--labels', at('two.txt')), /--labels names 2, and .*has 10 classes/],
  [
    'labels without a letter',
    () => explain('--labels', ',,,,,,,,,'),
    /--labels ,+ has nothing for class 0; give one label for each class/,
  ],
  ['a gap among the labels', () => explain('--labels', 'a,b, ,d'), /has nothing for class 2/],
  ['a size above the limit', () => explain('--size', '99999x99999'), /10000 megapixels; the limit is 100 megapixels/],
  ['an argument too many', () => ['doctor', 'extra'], /too many arguments .* extra\. See cambium --help\.$/m],
  ['a class far from all', () => explain('--class', 'stripes'), /"stripes"\. Nearest: \w+, \w+, \w+\.$/m],
  ['labels that are not there', () => explain('--labels', at('none.txt')), /neither a file nor a list/],
  ['an empty image', () => ['explain', at('empty.png'), '-o', out], /empty\.png is empty/],
  ['a folder as an image', () => ['explain', folder, '-o', out], /it is a folder/],
  ['an output folder that is a file', () => explain('-o', at('two.txt')), /a file of that name is there/],
  ['a run over a folder without images', () => ['run', '--images', at('changed'), '-o', out], /no images in/],
];

const asProcess: Case[] = [
  ['an unknown command', () => ['explian'], /explian.*Did you mean explain\?/],
  ['an unknown flag', () => explain('--methd', 'grad-cam'), /--methd.*Did you mean --method\?/],
  ['an unknown method', () => explain('--method', 'gradcam'), /Unknown method "gradcam"\. Nearest: grad-cam, /],
  ['an unknown layer', () => explain('--layer', 'layr4'), /layer "layr4".*layer4/],
  ['an unknown class', () => explain('--class', 'bubly'), /class "bubly".*bubbly/],
  ['a missing model', () => explain('--model', at('none.onnx')), /none\.onnx cannot be read: no such file/],
  [
    'an unknown model name',
    () => explain('--model', 'resnet50-texture'),
    /Unknown model "resnet50-texture".*resnet50-textures10/,
  ],
  ['a text as a model', () => explain('--model', at('text.onnx')), /text\.onnx/],
  ['an image as a model', () => explain('--model', image), /bubbly\.png/],
  ['a truncated model', () => explain('--model', at('truncated.onnx')), /truncated\.onnx/],
  [
    'a model that differs from its manifest',
    () => explain('--model', at('changed/resnet50-textures10.onnx')),
    /damaged or was changed.*sha256/,
  ],
  ['a missing image', () => ['explain', at('none.png'), '-o', out], /none\.png cannot be read: no such file/],
  [
    'a corrupt image after a good one',
    () => ['explain', image, at('broken.png'), '-o', out],
    /broken\.png is not an image that can be read, or it is damaged/,
  ],
  ['a huge image', () => ['explain', at('huge.svg'), '-o', out], /120 megapixels.*limit is 100/],
  [
    'two images of one name',
    () => ['explain', image, at('twin/Bubbly.png'), '-o', out],
    /would be written to the same files/,
  ],
  ['an output folder below a file', () => explain('-o', join(at('two.txt'), 'maps')), /a part of the path is a file/],
  ['an unwritable output folder', () => explain('-o', '/proc/cambium'), /\/proc\/cambium/],
  ['a model that takes no images', () => explain('--model', at('flat.onnx')), /flat\.onnx/],
];

describe('is refused in one sentence, and writes nothing:', () => {
  test.each(commandLine)('%s', async (_, args, says) => {
    const { code, output, errors } = await runHere(...args());
    expect(errors).toMatch(/^✖ [^\n]+\n$/);
    expect(errors).toMatch(says);
    expect(output).toBe('');
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });
});

describe.concurrent('as a process ends with code 2 and one line, and writes nothing:', () => {
  test.each(asProcess)('%s', async (_, args, says) => {
    const { code, output, errors } = await runCambium(...args());
    expect(errors).toMatch(/^✖ [^\n]+\n$/);
    expect(errors).toMatch(says);
    expect(output).toBe('');
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });
});
