import { expect, test, vi } from 'vitest';
import { copy } from '../bench/ceilings.ts';
import { Staging } from '../src/gpu/staging.ts';
import { filled, type WebgpuEngine, webgpuEngine } from '../src/index.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

const MEGABYTE = 2 ** 18; // numbers

test('where there is no memory that both see the queue writes', () => {
  const writeBuffer = vi.fn();
  const device = {
    pushErrorScope: () => {},
    popErrorScope: async () => null,
    createBuffer: () => {
      throw new RangeError('no memory');
    },
    queue: { writeBuffer },
  } as unknown as GPUDevice; // all of a device that is asked then
  const staging = new Staging(device);
  const target = {} as GPUBuffer;
  const numbers = new Float32Array([1, 2]);
  staging.write(target, 8, numbers);
  expect(writeBuffer).toHaveBeenCalledExactlyOnceWith(target, 8, numbers);
  expect(staging.bytes).toBe(0);
});

describeGpu('uploads of a megabyte and more', ({ open }) => {
  const shared = sharedDevice(open);

  async function holds(engine: WebgpuEngine, value: number, length: number): Promise<boolean> {
    const uploaded = engine.upload(filled(value, length));
    const { data } = await engine.download(engine.run(copy, { input: uploaded }, undefined));
    engine.release(uploaded);
    return data.length === length && data.every((each) => each === value);
  }

  test('arrive, whatever was in the memory before, and keep two buffers of it', async () => {
    using engine = webgpuEngine(shared.device);
    for (const [value, length] of [
      [1, 4 * MEGABYTE],
      [2, MEGABYTE],
      [3, 4 * MEGABYTE],
      [4, 2 * MEGABYTE],
    ] as const) {
      expect(await holds(engine, value, length)).toBe(true);
    }
    const several = await Promise.all([5, 6, 7, 8, 9].map((value) => holds(engine, value, MEGABYTE)));
    expect(several).toEqual([true, true, true, true, true]);
    await engine.finished();
    await new Promise((resolve) => setTimeout(resolve, 50)); // the buffers are mapped again
    const { upload } = engine.memory();
    expect(upload).toBeGreaterThanOrEqual(16 * MEGABYTE);
    expect(upload).toBeLessThanOrEqual(32 * MEGABYTE);
    engine.trim();
    expect(engine.memory().upload).toBe(0);
    expect(await holds(engine, 10, MEGABYTE)).toBe(true);
  });

  test('are written after what was recorded before and before what is recorded after', async () => {
    using engine = webgpuEngine(shared.device);
    const first = engine.upload(filled(1, MEGABYTE));
    const copied = engine.run(copy, { input: first }, undefined);
    engine.release(first); // the next upload gets its memory
    const second = engine.upload(filled(2, MEGABYTE));
    const [before, after] = await Promise.all([engine.download(copied), engine.download(second)]);
    expect(before.data.every((value) => value === 1)).toBe(true);
    expect(after.data.every((value) => value === 2)).toBe(true);
  });

  test('of less go through the queue', async () => {
    using engine = webgpuEngine(shared.device);
    expect(await holds(engine, 1, MEGABYTE - 4)).toBe(true);
    expect(engine.memory().upload).toBe(0);
  });
});
