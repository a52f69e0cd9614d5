import {
  type AnyKernel,
  conv2dHalf,
  conv2dLast,
  conv2dLastDirect,
  numpyRandom,
  type OpenedDevice,
  uniformTensor,
} from '@cambium/gpu-kernels';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { ortClassifier, tune, tuningOf, webgpuClassifier } from '../src/index.ts';
import { networkConvolutions } from '../src/tuning/network-convolutions.ts';
import { relativeDifference } from './support/compare.ts';
import { plainNet } from './support/tiny-nets.ts';
import { tinyResnet } from './support/tiny-resnet.ts';

const graph = tinyResnet();
const timing = { rounds: 1, batchSeconds: 0 };
const images = uniformTensor(numpyRandom(8), [5, 3, 19, 17], -2, 2);

/** The plain program with a fault in its text. */
function broken(name: string, from: string, to: string): AnyKernel {
  const code = String(conv2dLastDirect.wgsl);
  expect(code).toContain(from);
  return { ...conv2dLastDirect, name, wgsl: code.replace(from, to) };
}

test('the convolutions of a network are those of its forward pass, with equal ones counted', () => {
  const found = networkConvolutions(graph, 5);
  expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(8); // stem, two blocks of three, a projected shortcut
  const shortcuts = found.filter(({ tensors }) => tensors.residual.length === 4).map(({ tensors }) => tensors.residual);
  expect(shortcuts).not.toEqual([]); // the last of each block
  const [stem] = found;
  expect(stem.shape).toMatchObject({ pixels: 5 * 10 * 9, depth: 7 * 7 * 4, channels: 8 });
  expect(stem.tensors).toEqual({ input: [5, 19, 17, 4], weights: [6, 3, 7, 7], bias: [8], residual: [8] });
});

describeGpu('tune', ({ open }) => {
  let opened: OpenedDevice;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());

  test('times every program on every convolution, and what won computes what ONNX Runtime does', async () => {
    const few = [conv2dLastDirect, conv2dLast];
    const seen: number[] = [];
    const onConvolution = (_: unknown, done: number) => seen.push(done);
    const timed = await tune(opened, graph, { batch: 5, timing, programs: () => few, onConvolution });
    expect(seen).toEqual(timed.map((_, index) => index + 1));
    for (const { programs, winner, usual } of timed) {
      expect(programs.map(({ name }) => name).sort()).toEqual(few.map(({ name }) => name).sort());
      expect(programs[0].name).toBe(usual);
      expect(few.map(({ name }) => name)).toContain(winner);
      for (const { seconds, refused } of programs) expect([seconds, refused]).toEqual([expect.any(Number), undefined]);
    }
    // in turn, as if each had won
    const won = timed.map((each, index) => ({ ...each, winner: each.programs[index % 2].name }));
    await using classifier = webgpuClassifier(graph, opened, { tuning: tuningOf(won) });
    await using reference = ortClassifier(graph);
    const [ours, theirs] = [await classifier.predict(images), await reference.predict(images)];
    expect(relativeDifference(ours.data, theirs.data)).toBeLessThan(1e-4); // float32, summed in another order
  });

  test('refuses a program that is wrong before it times it, and names the fault', async () => {
    const wrong = [
      broken('biasless', 'sum + bias[quad]', 'sum'),
      broken('lazy', 'pixel >= u.pixels || quad', 'pixel + 1u >= u.pixels || quad'), // forgets the last pixel
      broken('invalid', 'sum + bias[quad]', 'nonsense'),
    ];
    const programs = () => [...wrong, conv2dLastDirect];
    for (const { programs: tried, winner } of await tune(opened, plainNet(), { batch: 2, timing, programs })) {
      const results = Object.fromEntries(tried.map(({ name, seconds, refused }) => [name, [seconds, refused]]));
      expect(results.biasless).toEqual([null, expect.stringMatching(/^differs from the reference by \d/)]);
      expect(results.lazy).toEqual([null, 'leaves numbers unwritten, or makes what is not a number']);
      expect(results.invalid).toEqual([null, expect.stringMatching(/program does not compile/)]);
      expect(results.conv2dLastDirect).toEqual([expect.any(Number), undefined]);
      expect(winner).toBe('conv2dLastDirect');
    }
    const none = tune(opened, plainNet(), { batch: 2, timing, programs: () => wrong });
    await expect(none).rejects.toThrow(/^No program computes the convolution .*biasless: differs.*lazy: leaves/);
  });

  test('looks at every image of a batch', async () => {
    const third = 'select(1.0, 1.01, pixel / (u.rows * u.columns) == 2u)'; // neither first nor last, nor in the middle
    const programs = () => [broken('forgetful', 'sum + bias[quad]', `${third} * sum + bias[quad]`), conv2dLastDirect];
    for (const { programs: tried } of await tune(opened, plainNet(), { batch: 4, timing, programs })) {
      expect(tried.map(({ name, refused }) => [name, refused])).toEqual([
        ['conv2dLastDirect', undefined],
        ['forgetful', expect.stringMatching(/^differs from the reference by \d/)],
      ]);
    }
  });

  test('in half precision holds programs to float32 as well', async () => {
    const idle = { ...conv2dHalf, name: 'idle', wgsl: '@compute @workgroup_size(1) fn main() {}' };
    const options = { batch: 2, precision: 'f16', timing, programs: () => [idle, conv2dHalf] } as const;
    const [{ programs, winner, precision }] = await tune(opened, plainNet(), options);
    expect(programs.map(({ name, seconds }) => [name, seconds !== null])).toEqual([
      ['conv2dHalf', true],
      ['idle', false],
    ]);
    expect(programs[1].refused).toMatch(/unwritten/); // though its memory held the right result of the one before
    expect([precision, winner]).toEqual(['f16', 'conv2dHalf']);
  });

  test('stops when told to', async () => {
    const stop = new AbortController();
    const tuning = tune(opened, plainNet(), {
      batch: 2,
      timing,
      programs: () => [conv2dLastDirect],
      onConvolution: () => stop.abort(new Error('enough')),
      signal: stop.signal,
    });
    await expect(tuning).rejects.toThrow('enough');
  });
});
