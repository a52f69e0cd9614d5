import { expect, test } from 'vitest';
import {
  type AnyKernel,
  KernelError,
  mapNamed,
  matmul,
  numpyRandom,
  positivePart,
  uniformTensor,
  webgpuEngine,
} from '../src/index.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

const timing = { rounds: 3, batchSeconds: 0.002 };

describeGpu('times of webgpuEngine', ({ open }) => {
  const shared = sharedDevice(open);

  test('a run that has much more to do takes longer, and its memory is given back', async () => {
    using engine = webgpuEngine(shared.device);
    const random = numpyRandom(1);
    const time = (side: number) => {
      const sides = { left: uniformTensor(random, [side, side]), right: uniformTensor(random, [side, side]) };
      const uploaded = mapNamed(matmul.inputs, (name) => engine.upload(sides[name]));
      return engine.time(matmul, uploaded, {}, timing).finally(() => engine.release(...Object.values(uploaded)));
    };
    const [little, much] = [await time(16), await time(160)]; // a thousand times as many products
    expect(little).toBeGreaterThan(0);
    expect(much).toBeGreaterThan(5 * little);
    expect(engine.memory().used).toBe(0);
    expect(engine.clock).toBe(shared.device.features.has('timestamp-query') ? 'timestamps' : 'wall');
  });

  test('a run that is cut into portions is timed with all of them', async () => {
    using engine = webgpuEngine(shared.device, { bindingLimit: 65_536 });
    const [left, right] = [
      engine.upload(uniformTensor(numpyRandom(2), [1000, 64])),
      engine.upload(uniformTensor(numpyRandom(3), [64, 64])),
    ];
    const cut = await engine.time(matmul, { left, right }, {}, timing); // four portions of 256 rows
    const part = await engine.time(
      matmul,
      { left: engine.upload(uniformTensor(numpyRandom(2), [64, 64])), right },
      {},
      timing,
    );
    expect(cut).toBeGreaterThan(3 * part);
  });

  test('without a clock of its own the device is timed by ours', async () => {
    using plain = await open({ features: [] });
    using engine = webgpuEngine(plain.device);
    expect(engine.clock).toBe('wall');
    const input = engine.upload(uniformTensor(numpyRandom(1), [64]));
    expect(await engine.time(positivePart, { input }, undefined, timing)).toBeGreaterThan(0);
  });

  test('a program that does not compile is an error, and others are timed all the same', async () => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(uniformTensor(numpyRandom(1), [64]));
    const broken: AnyKernel = { ...positivePart, wgsl: 'fn main() { nonsense }' };
    await expect(engine.time(broken, { input }, undefined, timing)).rejects.toThrow(KernelError);
    expect(await engine.time(positivePart, { input }, undefined, timing)).toBeGreaterThan(0);
    await engine.finished();
  });
});
