import { expect, test } from 'vitest';
import { formatDuration } from '../src/duration.ts';
import { imageSize, oneOf, share, threeNumbers, wholeNumber } from '../src/flags.ts';
import { checkDistinct, fileSafe } from '../src/outputs.ts';
import { chooseTarget, labelOfName } from '../src/targets.ts';
import { chooseTechniques } from '../src/techniques.ts';
import { openUi } from '../src/ui.ts';

const labels = ['bubbly', 'polka', 'polka-dotted', '7'];

test('a class is top1, a name, or an index; a name wins over an index', () => {
  expect(chooseTarget('top1', labels)).toBe('top1');
  expect(chooseTarget('polka', labels)).toBe(1);
  expect(chooseTarget('0', labels)).toBe(0);
  expect(chooseTarget('7', labels)).toBe(3);
  expect(() => chooseTarget('4', labels)).toThrow('classes 0 to 3');
  expect(() => chooseTarget('-1', labels)).toThrow('classes 0 to 3');
});

test('a class, method, variant or format that is not there gets the three nearest names, however far', () => {
  expect(() => chooseTarget('bubly', labels)).toThrow('Unknown class "bubly". Nearest: bubbly, ');
  expect(() => chooseTarget('stripes', ['crosshatched', 'dotted', 'striped', 'zigzagged'])).toThrow(
    'Unknown class "stripes". Nearest: striped, dotted, zigzagged.',
  );
  const methods = ['banana'];
  expect(() => chooseTechniques({ methods })).toThrow(/^Unknown method "banana"\. Nearest: [^,]+, [^,]+, [^,]+\.$/);
  expect(() => chooseTechniques({ methods: ['score-cam'], variant: 'fast' })).toThrow('Nearest: faster, ');
  expect(() => oneOf('format', 'jpg', ['webp', 'png', 'npy'])).toThrow('Unknown format "jpg". Nearest: png, ');
});

test('the label of an image is read from its name, the longest that fits', () => {
  expect(labelOfName('polka-dotted_11', labels)).toBe('polka-dotted');
  expect(labelOfName('polka', labels)).toBe('polka');
  expect(labelOfName('polkas', labels)).toBeUndefined();
});

test('numbers, sizes and triples are read, and anything else is refused by the name of its flag', () => {
  expect(wholeNumber('--batch', '16')).toBe(16);
  for (const text of ['0', '-1', '1.5', 'x', '']) expect(() => wholeNumber('--batch', text)).toThrow('--batch');
  expect(share('--alpha', '0.25')).toBe(0.25);
  for (const text of ['', '-0.1', '2', 'half']) expect(() => share('--alpha', text)).toThrow('--alpha');
  expect(imageSize('--size', '128x256')).toEqual([128, 256]);
  for (const text of ['224', '0x224', '224x0', '-1x2', 'x']) expect(() => imageSize('--size', text)).toThrow('--size');
  expect(threeNumbers('--mean', '0,0.5,-1')).toEqual([0, 0.5, -1]);
  expect(threeNumbers('--std', '0.5')).toEqual([0.5, 0.5, 0.5]);
  expect(() => threeNumbers('--std', '1,0,1')).toThrow('positive');
});

test('a size is limited as images are: 100 megapixels, whatever its proportions', () => {
  expect(imageSize('--size', '10000x10000')).toEqual([10000, 10000]);
  expect(imageSize('--size', '1x100000000')).toEqual([1, 100_000_000]);
  expect(() => imageSize('--size', '10000x10001')).toThrow(
    '--size 10000x10001 would be 101 megapixels; the limit is 100 megapixels. Take a smaller size.',
  );
  expect(() => imageSize('--size', '99999x99999')).toThrow('10000 megapixels');
});

test('what a technique is called says its variant and its channels', () => {
  const [plain, author] = chooseTechniques({ methods: ['grad-cam', 'score-cam', 'grad-cam'] });
  expect([plain.title, plain.form, plain.options]).toEqual(['Grad-CAM', '', {}]);
  expect([author.title, author.form, author.options]).toEqual([
    'Score-CAM',
    'author, every channel',
    { variant: 'author' },
  ]);
  const [faster] = chooseTechniques({ methods: ['score-cam'], variant: 'faster' });
  expect([faster.form, faster.options]).toEqual(['faster, 64 channels', { variant: 'faster', channels: 64 }]);
  expect([author, faster].map(({ passes }) => passes([512, 28, 28]))).toEqual([512, 64]);
});

test('names of layers become names of files, and collisions are found', () => {
  expect(fileSafe('/layer4/layer4.2/Add_output_0')).toBe('layer4_layer4.2_Add_output_0');
  expect(fileSafe('model/conv:0')).toBe('model_conv_0');
  const same = [
    { stem: 'cat', source: 'a/cat.png' },
    { stem: 'Cat', source: 'b/Cat.jpg' },
  ];
  expect(() => checkDistinct('images', same)).toThrow('a/cat.png and b/Cat.jpg would be written to the same files');
});

test.each([
  [8.4, '8 s'],
  [200, '3 min 20 s'],
  [7500, '2 h 5 min'],
])('%d seconds are told as %s', (seconds, words) => {
  expect(formatDuration(seconds)).toBe(words);
});

/** A stream that remembers, and a clock that is set by hand. */
function fakeTerminal(isTTY: boolean) {
  let written = '';
  let now = 0;
  const stream = { isTTY, columns: 60, write: (text: string) => (written += text) };
  const at = (seconds: number) => {
    now = seconds;
  };
  const ui = openUi({ output: stream, errors: stream, environment: { NO_COLOR: '1' }, clock: () => now });
  return { ui, at, written: () => written };
}

test('on a terminal progress is one line, redrawn, no wider than the window, and taken away at the end', () => {
  const { ui, at, written } = fakeTerminal(true);
  const progress = ui.progress(100);
  progress.update({ done: 1, task: 'Score-CAM @ layer2 · a picture with a very long name', count: 'map 1/80' });
  at(10);
  progress.update({ done: 50, task: 'Grad-CAM', count: 'map 40/80' });
  progress.update({ done: 51, task: 'too soon', count: '' });
  progress[Symbol.dispose]();
  const lines = written().split('\r\u001b[2K');
  expect(lines).toHaveLength(4);
  expect(lines.every((line) => line.length < 60)).toBe(true);
  expect(lines[2]).toBe('██████████░░░░░░░░░░ 50 %  Grad-CAM  map 40/80 · 10 s left');
  expect(lines[3]).toBe('');
});

test('words that come while a progress line is up take its place', () => {
  const { ui, written } = fakeTerminal(true);
  {
    using progress = ui.progress(2);
    progress.update({ done: 1, task: 'Grad-CAM', count: 'map 1/2' });
    ui.fail('a cell failed');
  }
  ui.note('done');
  const screen = written().split('\r\u001b[2K');
  expect(screen.at(-2)).toBe('✖ a cell failed\n');
  expect(screen.at(-1)).toBe('done\n');
});

test('elsewhere progress is a plain line every ten seconds', () => {
  const { ui, at, written } = fakeTerminal(false);
  using progress = ui.progress(80);
  progress.update({ done: 1, task: 'Grad-CAM', count: 'map 1/80' });
  at(10);
  progress.update({ done: 20, task: 'Score-CAM', count: 'map 20/80' });
  at(12);
  progress.update({ done: 25, task: 'Score-CAM', count: 'map 25/80' });
  expect(written()).toBe('25 % · Score-CAM · map 20/80 · 30 s left\n');
});
