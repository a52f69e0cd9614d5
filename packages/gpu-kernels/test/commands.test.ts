import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Block } from '../src/buffer-pool.ts';
import { Checks } from '../src/gpu/checks.ts';
import { Commands, type Dispatch } from '../src/gpu/commands.ts';
import { STORAGE } from '../src/gpu/flags.ts';
import { type Program, Programs } from '../src/gpu/programs.ts';
import { positivePart } from '../src/index.ts';
import { openNullDevice } from './support/null-device.ts';

describe('a batch that the GPU refuses', () => {
  let device: GPUDevice;
  let checks: Checks;
  let program: Program;
  beforeAll(async () => {
    device = await openNullDevice();
    checks = new Checks(device);
    program = new Programs(device, checks).of(positivePart, 'positivePart');
  });
  afterAll(() => device.destroy());

  function blockOf(size: number): Block {
    return { buffer: device.createBuffer({ size, usage: STORAGE }), offset: 0, size };
  }

  /** A run on 256 bytes that binds so many of its output. */
  function dispatchOf(run: string, { bytes = 256, input = blockOf(256) } = {}): Dispatch {
    const bindings = [
      { block: input, offset: 0, bytes: 256 },
      { block: blockOf(256), offset: 0, bytes },
    ];
    return { program, bindings, uniforms: new Uint8Array(4), workgroups: [1, 1, 1], run };
  }

  async function errorsOf(dispatches: readonly Dispatch[]) {
    const commands = new Commands(device, checks);
    const outcomes = dispatches.map((dispatch) => commands.dispatch(dispatch));
    commands.submit();
    const errors = await Promise.all(outcomes);
    commands.dispose();
    return errors;
  }

  test('is blamed on the run that the GPU names, and failed as a whole', async () => {
    const errors = await errorsOf([
      dispatchOf('first([64])'),
      dispatchOf('second([64])', { bytes: 512 }),
      dispatchOf('third([64])'),
    ]);
    expect(errors[1]).toMatchObject({ kind: 'validation', run: 'second([64])' });
    expect(errors).toEqual([errors[1], errors[1], errors[1]]);
  });

  test('is blamed on one of its runs where the GPU names none, each named once', async () => {
    const input = blockOf(256);
    input.buffer.destroy();
    const runs = ['first([64])', 'second([64])', 'first([64])'].map((run) => dispatchOf(run, { input }));
    const [error] = await errorsOf(runs);
    expect(error).toMatchObject({ run: 'One of first([64]), second([64])' });
  });

  test('is blamed on its run where it has only one', async () => {
    const input = blockOf(256);
    input.buffer.destroy();
    const [error] = await errorsOf([dispatchOf('only([64])', { input }), dispatchOf('only([64])', { input })]);
    expect(error).toMatchObject({ run: 'only([64])' });
  });

  test('leaves the batch after it alone', async () => {
    const commands = new Commands(device, checks);
    const failed = commands.dispatch(dispatchOf('wrong([64])', { bytes: 512 }));
    commands.submit();
    const fine = commands.dispatch(dispatchOf('right([64])'));
    commands.submit();
    expect(await failed).toMatchObject({ run: 'wrong([64])' });
    expect(await fine).toBeUndefined();
    commands.dispose();
  });
});
