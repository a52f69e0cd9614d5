import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Checks } from '../src/gpu/checks.ts';
import { chooseVariant, Programs } from '../src/gpu/programs.ts';
import { type AnyKernel, KernelError, type KernelName, kernels, type Variant } from '../src/index.ts';
import { openNullDevice } from './support/null-device.ts';

// Dawn's null backend checks programs, bindings and pipelines of every feature on any machine, and computes nothing.
const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

/** All kernels but one, whose 32 KiB of workgroup memory are twice what the null backend has; it runs on the software adapter. */
const withinNull = (Object.keys(kernels) as KernelName[]).filter((name) => name !== 'conv2dWinograd');

/** One 8×8 product in half precision, by the matrices of a subgroup. */
const SUBGROUP_MATRICES = /* wgsl */ `
  enable f16;
  enable chromium_experimental_subgroup_matrix;
  struct Uniforms { count: u32 }
  @group(0) @binding(0) var<storage, read> input: array<f16>;         // 2×8×8
  @group(0) @binding(1) var<storage, read_write> output: array<f16>;  // 8×8
  @group(0) @binding(2) var<uniform> u: Uniforms;

  @compute @workgroup_size(128) // a multiple of the largest subgroup that the null backend names
  fn main() {
    let left = subgroupMatrixLoad<subgroup_matrix_left<f16, 8, 8>, row_major>(&input, 0u, 8u);
    let right = subgroupMatrixLoad<subgroup_matrix_right<f16, 8, 8>, row_major>(&input, 64u, 8u);
    subgroupMatrixStore<row_major>(&output, 0u, subgroupMatrixMultiply<f16>(left, right), 8u);
  }`;

/** The same computation with and without features of the device. */
const halves: AnyKernel = {
  ...kernels.positivePart,
  name: 'halves',
  wgsl: [
    {
      features: ['shader-f16', 'subgroups'],
      code: `enable f16;\nenable subgroups;\n${kernels.positivePart.wgsl}`.replace(
        'let index =',
        'let lanes = subgroupAdd(1u);\nlet half = f16(lanes);\nlet index =',
      ),
    },
    { features: ['shader-f16'], code: `enable f16;\n${kernels.positivePart.wgsl}` },
    { features: [], code: String(kernels.positivePart.wgsl) },
  ],
};

describe('every program', () => {
  let device: GPUDevice;
  let checks: Checks;
  let programs: Programs;

  beforeAll(async () => {
    device = await openNullDevice(FEATURES);
    checks = new Checks(device);
    programs = new Programs(device, checks);
  });
  afterAll(() => device.destroy());

  test.each(withinNull)('of %s compiles, in every variant', async (name) => {
    for (const wgsl of variantsOf(kernels[name])) programs.of({ ...kernels[name], wgsl: [wgsl] }, name);
    await checks.settle();
  });

  test('for devices with more features compiles as well', async () => {
    for (const variant of variantsOf(halves))
      programs.of({ ...halves, wgsl: [{ ...variant, features: [] }] }, 'halves');
    await checks.settle();
    programs.of({ ...halves, wgsl: SUBGROUP_MATRICES }, 'matrices');
    await checks.settle();
    expect(String((halves.wgsl as Variant[])[0].code)).toContain('subgroupAdd'); // the replacement took place
  });

  test('is compiled once for each text and constants', async () => {
    const constant = (value: number): AnyKernel => ({
      ...kernels.add,
      wgsl: [{ features: [], code: `override width = 1u;\n${kernels.add.wgsl}`, constants: { width: value } }],
    });
    const program = (kernel: AnyKernel) => programs.of(kernel, 'any run');
    expect(program({ ...kernels.add })).toBe(program(kernels.add));
    expect(program(constant(2))).toBe(program(constant(2)));
    expect(program(constant(2))).not.toBe(program(constant(4)));
    await checks.settle();
  });

  test('that does not compile is reported with its kernel, line and column, every time it is run', async () => {
    const broken: AnyKernel = { ...kernels.sigmoid, wgsl: '\n\n  let nonsense = ;' };
    for (const _ of ['first', 'second']) {
      programs.of(broken, 'sigmoid([7])');
      const error = await checks.settle().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(KernelError);
      expect(String(error)).toMatch(
        /sigmoid\(\[7\]\) failed on the GPU \(validation\): its program does not compile: .*3:/s,
      );
    }
  });

  test('is the first whose features the device has', () => {
    const names = (...features: string[]) => chooseVariant(halves, new Set(features)).features;
    expect(names('shader-f16', 'subgroups', 'timestamp-query')).toEqual(['shader-f16', 'subgroups']);
    expect(names('shader-f16')).toEqual(['shader-f16']);
    expect(names('subgroups')).toEqual([]);
    const only = { ...halves, wgsl: (halves.wgsl as Variant[]).slice(0, 2) };
    expect(() => chooseVariant(only, new Set())).toThrow(
      'halves has no program for this device: each needs features it lacks (shader-f16 and subgroups, or shader-f16).',
    );
  });

  test('binds no more tensors than the device allows', () => {
    const greedy: AnyKernel = { ...kernels.add, inputs: Array.from({ length: 40 }, (_, index) => `input${index}`) };
    expect(() => programs.of(greedy, 'add')).toThrow(
      /add binds 41 tensors, but maxStorageBuffersPerShaderStage .* is \d+\./,
    );
  });
});

function variantsOf({ wgsl }: AnyKernel): readonly Variant[] {
  return typeof wgsl === 'string' ? [{ features: [], code: wgsl }] : wgsl;
}
