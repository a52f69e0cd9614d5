import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BufferPool } from '../src/buffer-pool.ts';
import { Checks } from '../src/gpu/checks.ts';
import { STORAGE } from '../src/gpu/flags.ts';
import { fine } from '../src/gpu/outcome.ts';
import { Programs } from '../src/gpu/programs.ts';
import { Residents } from '../src/gpu/residents.ts';
import { packUniforms } from '../src/gpu/uniforms.ts';
import { type AnyKernel, kernels, positivePart } from '../src/index.ts';
import { openNullDevice } from './support/null-device.ts';

describe('what is watched', () => {
  /** The error scopes of a device in which work fails in one way, as WebGPU orders them: innermost first. */
  function scopes(failing: GPUErrorFilter) {
    const open: GPUErrorFilter[] = [];
    const asked: GPUErrorFilter[] = [];
    const device = {
      pushErrorScope: (kind: GPUErrorFilter) => void open.push(kind),
      async popErrorScope() {
        const kind = open.pop()!; // as many are popped as were pushed
        asked.push(kind);
        return kind === failing ? { message: `an error of kind ${kind}` } : null;
      },
    };
    return { checks: new Checks(device), open, asked };
  }

  test.each(['validation', 'internal', 'out-of-memory'] as const)('fails by an error of kind %s', async (kind) => {
    const { checks, open, asked } = scopes(kind);
    const { result, outcome } = checks.watch(
      () => 7,
      (failed, message) => new Error(`${failed}: ${message}`),
    );
    expect(result).toBe(7);
    expect(await outcome).toMatchObject({ message: `${kind}: an error of kind ${kind}` });
    expect([open, [...asked].sort()]).toEqual([[], ['internal', 'out-of-memory', 'validation']]);
    await expect(checks.settle()).rejects.toThrow(kind);
    await checks.settle(); // once
  });

  test('leaves no scope open when the work throws', () => {
    const { checks, open } = scopes('validation');
    const thrown = () =>
      checks.watch(
        () => {
          throw new Error('no');
        },
        () => new Error('never asked for'),
      );
    expect(thrown).toThrow('no');
    expect(open).toEqual([]);
  });
});

describe('limits are allowed to be reached', () => {
  let device: GPUDevice;
  beforeAll(async () => {
    device = await openNullDevice();
  });
  afterAll(() => device.destroy());

  test('maxStorageBuffersPerShaderStage: inputs and output, and no more', async () => {
    const checks = new Checks(device);
    const programs = new Programs(device, checks);
    const most = device.limits.maxStorageBuffersPerShaderStage;
    const wgsl = '@compute @workgroup_size(1) fn main() {}';
    const binding = (tensors: number): AnyKernel => ({
      ...kernels.add,
      inputs: Array.from({ length: tensors - 1 }, (_, index) => `input${index}`),
      wgsl,
    });
    programs.of(binding(most), 'many');
    await checks.settle();
    expect(() => programs.of(binding(most + 1), 'too many')).toThrow(
      `add binds ${most + 1} tensors, but maxStorageBuffersPerShaderStage of the device is ${most}.`,
    );
  });

  test('maxBufferSize: a tensor as large as a buffer', () => {
    const pool = new BufferPool({
      usage: STORAGE,
      limit: Number.POSITIVE_INFINITY,
      maxBufferSize: 1024,
      create: (descriptor) => ({ buffer: device.createBuffer(descriptor), outcome: fine }),
      beforeDestroy: () => {},
    });
    const residents = new Residents(pool, 1024);
    expect(residents.allocate([256], 'fits').shape).toEqual([256]);
    expect(() => residents.allocate([257], 'add([257])')).toThrow(
      'add([257]) needs a buffer of 1028 bytes, but maxBufferSize of the device is 1024. Use a smaller batch.',
    );
    residents.dispose();
  });

  test('64 uniforms', () => {
    const having = (count: number) => {
      const names = Array.from({ length: count }, (_, index) => `u${index}`);
      const uniforms = Object.fromEntries(names.map((name) => [name, 'u32'] as const));
      const values = Object.fromEntries(names.map((name, index) => [name, index]));
      return packUniforms({ ...positivePart, uniforms } as AnyKernel, values);
    };
    expect([...new Uint32Array(having(64).buffer)]).toEqual(Array.from({ length: 64 }, (_, index) => index));
    expect(() => having(65)).toThrow('positivePart has 65 uniforms; at most 64 are passed.');
  });
});
