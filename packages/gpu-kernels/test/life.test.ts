import { describe, expect, test } from 'vitest';
import { Life } from '../src/gpu/life.ts';
import { DeviceLostError } from '../src/index.ts';
import { openNullDevice } from './support/null-device.ts';

describe('the life of an engine', () => {
  const loss = { reason: 'unknown', message: 'the driver was restarted' } as const;

  /** What a device tells of its loss: a promise that is kept when `lose` is called. */
  function losable() {
    const { promise: lost, resolve } = Promise.withResolvers<Pick<GPUDeviceLostInfo, 'reason' | 'message'>>();
    return { life: new Life({ lost }, 'webgpuEngine'), lose: () => resolve(loss) };
  }

  test('a failure is put down to a loss of which the news comes a turn later', async () => {
    const { life, lose } = losable();
    const { promise, reject } = Promise.withResolvers<never>();
    const waiting = life.wait(promise);
    reject(new Error('mapAsync was aborted'));
    await Promise.resolve(); // the failure has arrived, the news has not
    queueMicrotask(lose);
    const error = await waiting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error).toMatchObject({ message: expect.stringContaining(loss.message) });
  });

  test('a failure without a loss is itself, and life goes on', async () => {
    const { life } = losable();
    await expect(life.wait(Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    life.require();
    expect(await life.wait(Promise.resolve(7))).toBe(7);
  });

  test('a loss ends what is waited for, though that never ends itself, and what is asked later', async () => {
    const { life, lose } = losable();
    const waiting = life.wait(new Promise(() => {}));
    lose();
    await expect(waiting).rejects.toThrow(DeviceLostError);
    expect(() => life.require()).toThrow(DeviceLostError);
    await expect(life.wait(Promise.resolve(7))).rejects.toThrow(DeviceLostError);
  });

  test('the first reason stays', async () => {
    const device = await openNullDevice();
    const life = new Life(device, 'webgpuEngine');
    life.end(new Error('disposed of'));
    device.destroy();
    await device.lost;
    expect(() => life.require()).toThrow('disposed of');
  });
});
