import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matricesAreSound } from '../src/device.ts';
import { Checks } from '../src/gpu/checks.ts';
import { Programs } from '../src/gpu/programs.ts';
import { hasUnknownSize } from '../src/halves/conv2d-matrix.ts';
import {
  type AnyKernel,
  type Conv2dHalf,
  halfError,
  type MatrixHost,
  matrixConvolutions,
  numpyRandom,
  type SubgroupMatrix,
  type Variant,
  webgpuEngine,
} from '../src/index.ts';
import { errorOf, referenceOf } from './support/agreement.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';
import { emulatedUnit } from './support/emulated-matrices.ts';
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
const variantOf = ({ wgsl }: AnyKernel) => (wgsl as readonly Variant[])[0]; // these programs are lists of one

describe('convolutions by subgroup matrices', () => {
  test('come in tiles, the largest first, with the size of the device’s subgroups', () => {
    const programs = matrixConvolutions(host({}));
    expect(namesOf(programs)).toEqual(['conv2dMatrix128×128', 'conv2dMatrix64×128', 'conv2dMatrix128×64']);
    expect(variantOf(programs[0]).constants).toEqual({ lanes: 32, across: 2, down: 4 });
    expect(variantOf(programs[0]).features).toEqual(FEATURES);
    expect(matrixConvolutions(host({}))).toEqual(programs);
    expect(matrixConvolutions(host({}))[0]).toBe(programs[0]);
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
    expect(namesOf(matrixConvolutions(host({}, { maxComputeWorkgroupStorageSize: 20_000 })))).toEqual([
      'conv2dMatrix64×128',
      'conv2dMatrix128×64',
    ]);
    expect(namesOf(matrixConvolutions(host({}, { maxComputeInvocationsPerWorkgroup: 128 })))).not.toContain(
      'conv2dMatrix128×128',
    );
    expect(namesOf(matrixConvolutions(sized(host({ largest: 256 }))))).toEqual(['conv2dMatrix128×128']);
  });

  test.each([
    [{ smallest: 32, largest: 64 }, 32, true],
    [{ smallest: 64, largest: 64 }, 64, false],
    [{ smallest: 16, largest: 16 }, 16, false],
  ])('of subgroups of %j take %i invocations, and are held to it: %s', (sizes, lanes, held) => {
    const [program] = matrixConvolutions(sized(host({ ...sizes, matrices: lanes === 16 ? [intel] : [nvidia] })));
    const { constants, code, features } = variantOf(program);
    expect(constants).toMatchObject({ lanes });
    expect(code.includes('@subgroup_size(lanes)')).toBe(held);
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

  test('plan a workgroup for each tile', () => {
    const [large] = matrixConvolutions(host({}));
    const words = { input: [3, 20, 10, 8], weights: [144, 80], bias: [160], residual: [80] };
    const options = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const;
    expect(large.plan(words, options).workgroups).toEqual([5 * 2, 1, 1]); // 600 pixels, 160 channels
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
    const [program] = matrixConvolutions(sized(host({ matrices: [shape], largest })));
    expect(variantOf(program).code.includes('@subgroup_size')).toBe(largest > 32);
    const checks = new Checks(device);
    // whole subgroups of the null backend's 128, in its 16 KiB of workgroup memory
    const constants = { lanes: 128, across: 1, down: shape === apple ? 1 : 2 };
    new Programs(device, checks).of({ ...program, wgsl: [{ ...variantOf(program), constants }] }, program.name);
    await checks.settle();
  });
});

describeGpu('convolutions by subgroup matrices, with matrices that are emulated', ({ open }) => {
  const shared = sharedDevice(open);

  /** A program of four subgroups, which 32 invocations play each. */
  function emulated(shape: SubgroupMatrix): Conv2dHalf {
    const constants = { lanes: 32, across: 2, down: 2 };
    const program = matrixConvolutions(host({ matrices: [shape] })).find((each) => {
      const { across, down } = variantOf(each).constants ?? {};
      return across === constants.across && down === constants.down;
    })!; // every shape has this tile
    return { ...program, wgsl: [{ features: [], code: emulatedUnit(variantOf(program).code, shape), constants }] };
  }

  test.each(Object.entries(shapes))('compute what the reference loops do, as for %s', async (_, shape) => {
    const program: AnyKernel = emulated(shape);
    using engine = webgpuEngine(shared.device);
    for (const [inputs, options] of program.samples(numpyRandom(5))) {
      const uploaded = Object.fromEntries(program.inputs.map((name) => [name, engine.upload(inputs[name])]));
      const actual = await engine.download(engine.run(program, uploaded, options));
      expect(errorOf(program, actual, referenceOf(program, inputs, options))).toBeLessThan(program.tolerance!);
    }
    expect(await halfError(engine, emulated(shape))).toBeLessThan(1e-6); // several tiles in both directions
  });

  test.each([
    ['lays the second row of matrices where the first is', 'at / columnsOfSums * tall', '0u'],
    ['does not compile', 'ownRow + i * tall', 'nonsense'],
  ])('are found out where a device %s', async (_, from, to) => {
    const program = emulated(apple);
    const { code, ...rest } = variantOf(program);
    expect(code).toContain(from);
    const wrong = { ...program, wgsl: [{ ...rest, code: code.replace(from, to) }] };
    expect(await matricesAreSound(shared.device, wrong)).toBe(false);
  });
});
