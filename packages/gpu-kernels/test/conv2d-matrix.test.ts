import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matricesAreSound } from '../src/device.ts';
import { Checks } from '../src/gpu/checks.ts';
import { Programs } from '../src/gpu/programs.ts';
import { hasUnknownSize, matrixConvolution } from '../src/halves/conv2d-matrix.ts';
import {
  type AnyKernel,
  halfError,
  type MatrixConvolution,
  type MatrixHost,
  type MatrixTile,
  matrixConvolutions,
  pairedConvolutions,
  referenceEngine,
  ShapeError,
  type Variant,
} from '../src/index.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';
import { emulatedProgram } from './support/emulated-matrices.ts';
import { expectGuardedAgreement } from './support/guarded-agreement.ts';
import { openNullDevice } from './support/null-device.ts';

const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];
const nvidia = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };
const intel = { componentType: 'f16', resultComponentType: 'f32', M: 8, N: 16, K: 16 };
const apple = { componentType: 'f32', resultComponentType: 'f32', M: 8, N: 8, K: 8 };
const shapes = { nvidia, intel, apple };

function host(more: Partial<MatrixHost['subgroups']>, limits: MatrixHost['limits'] = {}): MatrixHost {
  return {
    limits: { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 49_152, ...limits },
    features: FEATURES,
    subgroups: { smallest: 32, largest: 32, matrices: [nvidia], ...more },
  };
}

/** With subgroups whose size can be asked for. */
const sized = (plain: MatrixHost): MatrixHost => ({
  ...plain,
  features: [...plain.features, 'subgroup-size-control'],
});

const namesOf = (programs: readonly AnyKernel[]) => programs.map(({ name }) => name);
const NAMES = [
  'conv2dMatrix256×128×32by8',
  'conv2dMatrix256×128×32by8diagonal',
  'conv2dMatrix128×128×64by8',
  'conv2dMatrix128×128×64by8diagonal',
  'conv2dMatrix256×64×32by8',
  'conv2dMatrix128×64×32by4',
  'conv2dMatrix128×64×32by4fours',
];
const variantOf = ({ wgsl }: AnyKernel) => (wgsl as readonly Variant[])[0]; // these programs are lists of one

describe('convolutions by subgroup matrices', () => {
  test('come in tiles, that for deep sums first, with the size of the device’s subgroups', () => {
    const programs = matrixConvolutions(host({}));
    expect(namesOf(programs)).toEqual(NAMES);
    expect(variantOf(programs[0]).code).toContain('@workgroup_size(256)');
    expect(variantOf(programs[0]).features).toEqual(FEATURES);
    expect(matrixConvolutions(host({}))).toEqual(programs);
    expect(matrixConvolutions(host({}))[0]).toBe(programs[0]);
  });

  test('for a network’s first convolution run the narrowest programs that there are', () => {
    const [plain, paired] = [matrixConvolutions(host({})), pairedConvolutions(host({}))];
    expect(namesOf(paired)).toEqual(
      ['Odd', 'Even']
        .map((pads) => `${NAMES[4]}pairs${pads}`)
        .concat(['Odd', 'Even'].map((pads) => `${NAMES[5]}pairs${pads}`)),
    );
    for (const { wgsl } of paired) expect(plain.map((each) => each.wgsl)).toContain(wgsl);
    expect(pairedConvolutions(host({}))[0]).toBe(paired[0]);
    expect(pairedConvolutions(host({ matrices: [] }))).toEqual([]);
  });

  test('can all be held to float32, as when a device is opened', async () => {
    for (const program of matrixConvolutions(host({}))) {
      expect(await halfError(referenceEngine(), program)).toBeLessThan(1e-6);
    }
  });

  test('take the first shape that device and program both know', () => {
    const odd = { ...nvidia, K: 8 };
    const codeFor = (...matrices: (typeof nvidia)[]) => variantOf(matrixConvolutions(host({ matrices }))[0]).code;
    expect(codeFor(odd, apple, nvidia)).toContain('subgroup_matrix_result<f32, 16, 16>');
    expect(codeFor(apple)).toContain('subgroup_matrix_result<f32, 8, 8>');
    expect(codeFor({ ...nvidia, resultComponentType: 'f16' }, intel)).toContain('subgroup_matrix_left<f16, 16, 8>');
  });

  test('are none where the device lists none of our shapes, or lacks a feature', () => {
    expect(matrixConvolutions(host({ matrices: [] }))).toEqual([]);
    expect(matrixConvolutions(host({ matrices: [{ ...nvidia, resultComponentType: 'f16' }] }))).toEqual([]);
    expect(matrixConvolutions({ ...host({}), features: FEATURES.slice(1) })).toEqual([]);
    expect(matrixConvolutions({ ...host({ matrices: [apple] }), features: FEATURES.slice(1) })).not.toEqual([]);
  });

  test('are those whose workgroups the device can hold, in whole subgroups', () => {
    expect(namesOf(matrixConvolutions(host({}, { maxComputeWorkgroupStorageSize: 21_000 })))).toEqual(NAMES.slice(5));
    expect(namesOf(matrixConvolutions(host({}, { maxComputeInvocationsPerWorkgroup: 128 })))).toEqual(NAMES.slice(5));
    expect(namesOf(matrixConvolutions(sized(host({ largest: 256 }))))).toEqual(NAMES.slice(0, 5));
  });

  test.each([
    [{ smallest: 32, largest: 64 }, 32, true],
    [{ smallest: 64, largest: 64 }, 64, false],
    [{ smallest: 16, largest: 16 }, 16, false],
  ])('of subgroups of %j take %i invocations, and are held to it: %s', (sizes, lanes, held) => {
    const [program] = matrixConvolutions(sized(host({ ...sizes, matrices: lanes === 16 ? [intel] : [nvidia] })));
    const { code, features } = variantOf(program);
    expect(program.size).toEqual({ lanes, held });
    expect(code).toContain(`@workgroup_size(${lanes * program.tile.subgroups})`);
    expect(code.includes(`@subgroup_size(${lanes})`)).toBe(held);
    expect(features.includes('subgroup-size-control')).toBe(held);
  });

  test('are none where subgroups have one size or another and the device cannot be held to one', () => {
    const varying = host({ smallest: 8, largest: 32 });
    expect(hasUnknownSize(varying)).toBe(true);
    expect(matrixConvolutions(varying)).toEqual([]);
    expect(hasUnknownSize(sized(varying))).toBe(false);
    expect(matrixConvolutions(sized(varying))).not.toEqual([]);
    expect(hasUnknownSize(host({}))).toBe(false);
  });

  test('plan a workgroup for each tile, with a row of weights for each filter', () => {
    const [large] = matrixConvolutions(host({}));
    const words = { input: [3, 20, 10, 8], weights: [160, 72], bias: [160], residual: [80] };
    const options = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const;
    const { output, workgroups } = large.plan(words, options);
    expect(output).toEqual([3, 20, 10, 80]);
    expect(workgroups).toEqual([3 * 2, 1, 1]); // 600 pixels, 160 channels
    expect(() => large.plan({ ...words, weights: [160, 80] }, options)).toThrow(ShapeError);
  });

  test('compute what they bring eight channels at a time of only where channels are a multiple of eight', () => {
    const options = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const;
    const suiting = (channels: number) =>
      namesOf(matrixConvolutions(host({})).filter(({ suits }) => suits?.({ ...asked, depth: 9 * channels })));
    const asked = { pixels: 600, depth: 0, channels: 160, options };
    expect(suiting(16)).toEqual(NAMES);
    expect(suiting(20)).toEqual(NAMES.slice(6));
    const words = { input: [3, 20, 10, 10], weights: [160, 90], bias: [160], residual: [80] };
    const programs = matrixConvolutions(host({}));
    expect(() => programs[0].plan(words, options)).toThrow(/channels in multiples of 8, got 20; use conv2dHalf/);
    expect(programs[6].plan(words, options).output).toEqual([3, 20, 10, 80]);
  });
});

describe('the text of convolutions by subgroup matrices', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openNullDevice([...FEATURES, 'subgroup-size-control']);
  });
  afterAll(() => device.destroy());

  const sizes = [32, 64].flatMap((largest) => Object.entries(shapes).map((shape) => [largest, ...shape] as const));
  test.each(sizes)('compiles in Dawn, for subgroups of 32 to %i, as for %s', async (largest, _, shape) => {
    const checks = new Checks(device);
    for (const { name, unit } of matrixConvolutions(sized(host({ matrices: [shape], largest })))) {
      // whole subgroups of the null backend's 128, in its 16 KiB of workgroup memory
      const chunk = name.endsWith('fours') ? 4 : 8;
      const tile = { pixels: 64, channels: 32, across: 1, down: 1, deep: 32, chunk } as const;
      const program = matrixConvolution(unit, tile, { lanes: 128, held: largest > 32 });
      expect(variantOf(program).code.includes('@subgroup_size')).toBe(largest > 32);
      new Programs(device, checks).of(program, name);
    }
    await checks.settle();
  });
});

describeGpu('convolutions by subgroup matrices, with matrices that are emulated', ({ open }) => {
  const shared = sharedDevice(() => open({ robustness: false })); // indices past the end of a tensor reach the guards

  /** A program of four subgroups with two by two matrices each, which is as much as a software adapter compiles in seconds. */
  function emulated(
    shape: (typeof shapes)[keyof typeof shapes],
    { deep = 32, chunk = 8, diagonal }: Partial<MatrixTile> = {},
  ): MatrixConvolution {
    const [{ unit }] = matrixConvolutions(host({ matrices: [shape] }));
    const tile: MatrixTile = { pixels: 2 * unit.M, channels: 2 * unit.N, across: 2, down: 2, deep, chunk, diagonal };
    const program = matrixConvolution(unit, tile, { lanes: 32, held: false });
    return { ...program, wgsl: emulatedProgram(unit, tile) };
  }

  const programs = [
    ['nvidia, eight channels', emulated(nvidia)],
    ['nvidia, eight channels, shortcuts on a diagonal', emulated(nvidia, { diagonal: true })],
    ['nvidia, four channels', emulated(nvidia, { chunk: 4 })],
    ['intel, eight channels', emulated(intel)],
    ['intel, four channels', emulated(intel, { chunk: 4 })],
    ['apple, eight channels', emulated(apple)],
    ['apple, eight channels, shortcuts on a diagonal', emulated(apple, { diagonal: true })],
    ['intel, four channels, shortcuts on a diagonal', emulated(intel, { chunk: 4, diagonal: true })],
    ['apple, four channels', emulated(apple, { chunk: 4 })],
  ] as const;

  test.each(programs)('compute what the reference loops do, as for %s at a time', async (_, program) => {
    await expectGuardedAgreement(shared.device, program);
  });

  test.each([
    ['lays the second row of matrices where the first is', /ownPixel \+ 8u/g, 'ownPixel + 0u'],
    ['does not compile', 'let left =', 'nonsense'],
  ])('are found out where a device %s', async (_, from, to) => {
    const program = emulated(apple);
    const wrong = { ...program, wgsl: (program.wgsl as string).replace(from, to) };
    expect(wrong.wgsl).not.toBe(program.wgsl);
    expect(await matricesAreSound(shared.device, wrong)).toBe(false);
  });
});
