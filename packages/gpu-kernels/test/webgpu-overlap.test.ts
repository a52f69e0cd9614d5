import { expect, test } from 'vitest';
import { copy, FACTORS, multiplyAdd } from '../bench/ceilings.ts';
import { add, filled, type Resident, tensor, type WebgpuEngine, webgpuEngine } from '../src/index.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

describeGpu('uploads and downloads beside compute', ({ open }) => {
  const shared = sharedDevice(open);

  /** Work of some tenths of a second; it brings back its input times eight, plus 28. */
  function slow(engine: WebgpuEngine, input: Resident): Resident {
    return engine.run(
      multiplyAdd,
      { input, factors: engine.upload(FACTORS) },
      { rounds: shared.software ? 40_000 : 4_000_000 },
    );
  }

  test('a download waits for what it needs, not for what is recorded after it', async () => {
    using engine = webgpuEngine(shared.device);
    const numbers = engine.upload(filled(0.5, 4096));
    const done: string[] = [];
    const first = engine.download(engine.run(copy, { input: numbers }, undefined)).then(() => done.push('copy'));
    const second = engine.download(slow(engine, numbers)).then(() => done.push('slow'));
    await first;
    expect(done).toEqual(['copy']);
    let turns = 0;
    while (done.length === 1 && turns < 1e6) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    expect(turns).toBeGreaterThan(1); // the slow work was still under way, and the program could go on
    await second;
    expect(done).toEqual(['copy', 'slow']);
  });

  test('downloads that are asked for together are all under way, in buffers of their own, and end in their order', async () => {
    using engine = webgpuEngine(shared.device);
    const ended: number[] = [];
    const downloads = Array.from({ length: 6 }, async (_, index) => {
      const result = engine.run(
        add,
        { left: engine.upload(filled(index, 64)), right: engine.upload(tensor([1], [1])) },
        undefined,
      );
      const { data } = await engine.download(result);
      ended.push(index);
      return data[63];
    });
    expect(engine.memory().readBack).toBe(6 * 256);
    expect(await Promise.all(downloads)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(ended).toEqual([0, 1, 2, 3, 4, 5]);
    expect(engine.memory().readBack).toBe(6 * 256); // kept for the next ones
    await engine.download(engine.upload(filled(1, 64)));
    expect(engine.memory().readBack).toBe(6 * 256);
  });

  test('an upload while the GPU computes neither waits for it nor changes what it reads', async () => {
    using engine = webgpuEngine(shared.device);
    const numbers = engine.upload(filled(0.5, 4096));
    let done = false;
    const slowly = engine.download(slow(engine, numbers)).then((result) => {
      done = true;
      return result;
    });
    engine.release(numbers); // its buffer is written again while the GPU may still read it
    const later = engine.upload(filled(3, 4096));
    await new Promise((resolve) => setTimeout(resolve, 5)); // had the upload waited, the numbers would come now
    expect(done).toBe(false);
    expect((await slowly).data[4095]).toBe(8 * 0.5 + 28);
    expect((await engine.download(later)).data[4095]).toBe(3);
  });
});
