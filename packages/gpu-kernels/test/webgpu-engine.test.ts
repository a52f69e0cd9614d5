import { expect, test } from 'vitest';
import {
  add,
  compute,
  DeviceLostError,
  filled,
  maskImages,
  numpyRandom,
  positivePart,
  sweep,
  tensor,
  uniformTensor,
  variantPredictor,
  webgpuEngine,
  zeros,
} from '../src/index.ts';
import { normalisedError } from './support/agreement.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

describeGpu('webgpuEngine', ({ open }) => {
  const shared = sharedDevice(open);

  test('runs kernels one after another', async () => {
    using engine = webgpuEngine(shared.device);
    const left = engine.upload(tensor([1, -2, 3, -4], [2, 2]));
    const sum = engine.run(add, { left, right: engine.upload(tensor([1], [])) }, undefined);
    expect(await engine.download(engine.run(positivePart, { input: sum }, undefined))).toEqual(
      tensor([2, 0, 4, 0], [2, 2]),
    );
    expect(await engine.download(sum)).toEqual(tensor([2, -1, 4, -3], [2, 2])); // once more, in any order
  });

  test('computes a sweep as the reference does, in batches with a short last one', async () => {
    using engine = webgpuEngine(shared.device);
    const random = numpyRandom(4);
    const inputs = { image: uniformTensor(random, [1, 3, 6, 5]), activations: uniformTensor(random, [7, 2, 3]) };
    const options = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 } as const;
    const classifier = variantPredictor(engine, async (batch) =>
      tensor(
        batch.data.filter((_, index) => index % 90 < 2),
        [batch.shape[0], 2],
      ),
    );
    const logits = await sweep({ classifier, kernel: maskImages, inputs, rows: 'activations', options, batch: 3 });
    const masked = compute(maskImages, inputs, options);
    expect(
      normalisedError(
        logits.data,
        masked.data.filter((_, index) => index % 90 < 2),
      ),
    ).toBeLessThan(1e-12); // float32
    expect(engine.memory().used).toBe(0);
  });

  test('two engines compute at once, on one device and on two', async () => {
    using another = await open();
    using first = webgpuEngine(shared.device);
    using second = webgpuEngine(shared.device);
    using third = webgpuEngine(another.device);
    const results = [first, second, third].map(async (engine, index) => {
      let resident = engine.upload(filled(index, 33));
      for (let count = 0; count < 150; count++) {
        resident = engine.scope(() =>
          engine.run(add, { left: resident, right: engine.upload(tensor([1], [1])) }, undefined),
        );
      }
      return (await engine.download(resident)).data[32];
    });
    expect(await Promise.all(results)).toEqual([150, 151, 152]);
  });

  test('when the device is lost, what is pending rejects, later calls throw, and another can be opened', async () => {
    const lost = await open();
    using engine = webgpuEngine(lost.device);
    const input = engine.upload(filled(3, 64));
    const pending = [
      engine.download(input),
      engine.download(engine.run(positivePart, { input }, undefined)),
      engine.finished(),
    ];
    lost.close();
    for (const result of await Promise.allSettled(pending)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'DeviceLostError', reason: 'destroyed' } });
    }
    expect(() => engine.upload(zeros(2))).toThrow(DeviceLostError);
    expect(() => engine.run(positivePart, { input }, undefined)).toThrow(/lost its device \(destroyed.*openDevice\(\)/);
    await expect(engine.download(input)).rejects.toThrow(DeviceLostError);

    using reopened = await open();
    using next = webgpuEngine(reopened.device);
    expect((await next.download(next.upload(filled(3, 2)))).data[1]).toBe(3);
  });
});
