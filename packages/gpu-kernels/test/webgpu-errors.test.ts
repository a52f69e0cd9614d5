import { expect, test } from 'vitest';
import {
  type AnyKernel,
  add,
  filled,
  KernelError,
  negativePart,
  positivePart,
  sigmoid,
  webgpuEngine,
  zeros,
} from '../src/index.ts';
import { describeGpu, sharedDevice } from './support/describe-gpu.ts';

describeGpu('errors of webgpuEngine', ({ open }) => {
  const shared = sharedDevice(open);

  const broken: AnyKernel = { ...positivePart, name: 'broken', wgsl: 'this is not WGSL' };

  test('a program that does not compile is reported with its kernel and the shapes that were run', async () => {
    using engine = webgpuEngine(shared.device);
    const output = engine.run(broken, { input: engine.upload(filled(-1, 2, 3)) }, undefined);
    const failure = await failureOf(engine.download(output));
    expect(failure).toBeInstanceOf(KernelError);
    expect(failure).toMatchObject({ kind: 'validation', run: 'broken([2, 3])' });
    expect(failure?.message).toMatch(
      /^broken\(\[2, 3\]\) failed on the GPU \(validation\): its program does not compile: /,
    );
  });

  test('everything written in a batch that failed is failed, at every download', async () => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(filled(-1, 2));
    const before = engine.run(negativePart, { input }, undefined);
    const output = engine.run(broken, { input }, undefined);
    const after = engine.run(sigmoid, { input }, undefined);
    const failure = await failureOf(engine.download(output));
    expect(failure).toMatchObject({ run: 'broken([2])' });
    for (const resident of [before, output, after, output])
      expect(await failureOf(engine.download(resident))).toBe(failure);
  });

  test('what is computed from failed numbers is failed too, however much later', async () => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(filled(-1, 2));
    const output = engine.run(broken, { input }, undefined);
    const soon = engine.run(add, { left: input, right: output }, undefined);
    const failure = await failureOf(engine.download(output));
    const later = engine.run(add, { left: input, right: soon }, undefined);
    expect(failure).toMatchObject({ run: 'broken([2])' });
    expect(await failureOf(engine.download(later))).toBe(failure);
    await engine.finished(); // it was told
    expect(await failureOf(engine.download(engine.run(sigmoid, { input: later }, undefined)))).toBe(failure);
  });

  test('residents that a failed batch only read, and batches before and after, stay usable', async () => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(filled(-1, 2));
    const early = engine.run(negativePart, { input }, undefined);
    await engine.finished();
    const output = engine.run(broken, { input }, undefined);
    const [read, untouched, failed] = await Promise.allSettled(
      [input, early, output].map((each) => engine.download(each)),
    );
    expect(read).toMatchObject({ value: filled(-1, 2) });
    expect(untouched).toMatchObject({ value: filled(-1, 2) });
    expect(failed).toMatchObject({ reason: { run: 'broken([2])' } });
    const late = engine.run(add, { left: input, right: early }, undefined);
    expect(await engine.download(late)).toEqual(filled(-2, 2));
  });

  test('memory of a failed resident is reused as if nothing had been', async () => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(filled(-1, 2));
    const output = engine.run(broken, { input }, undefined);
    await failureOf(engine.download(output));
    engine.release(output);
    expect(await engine.download(engine.run(negativePart, { input }, undefined))).toEqual(filled(-1, 2));
    expect(engine.memory().used).toBe(512);
  });

  test('what no download has thrown is thrown by finished, once', async () => {
    using engine = webgpuEngine(shared.device);
    engine.run(broken, { input: engine.upload(zeros(5)) }, undefined);
    expect(await failureOf(engine.finished())).toMatchObject({ run: 'broken([5])' });
    await engine.finished();
  });

  test('a kernel that failed to compile is tried again', async () => {
    using engine = webgpuEngine(shared.device);
    const input = engine.upload(zeros(2));
    const first = await failureOf(engine.download(engine.run(broken, { input }, undefined)));
    const larger = engine.upload(zeros(3));
    const second = await failureOf(engine.download(engine.run(broken, { input: larger }, undefined)));
    expect([first, second]).toMatchObject([{ run: 'broken([2])' }, { run: 'broken([3])' }]);
  });

  test('every download that is under way when an error appears rejects', async () => {
    using engine = webgpuEngine(shared.device);
    const output = engine.run(broken, { input: engine.upload(zeros(2)) }, undefined);
    const results = await Promise.allSettled([engine.download(output), engine.download(output)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('a resident of another engine is refused', () => {
    using engine = webgpuEngine(shared.device);
    using other = webgpuEngine(shared.device);
    const input = other.upload(zeros(2));
    expect(() => engine.run(positivePart, { input }, undefined)).toThrow(/resident of another engine/);
  });

  test('after disposal everything is refused, and what was pending rejects', async () => {
    const engine = webgpuEngine(shared.device);
    const input = engine.upload(zeros(2));
    const pending = engine.download(input);
    engine.dispose();
    await expect(pending).rejects.toThrow('webgpuEngine is disposed of; open another.');
    expect(() => engine.upload(zeros(2))).toThrow(/disposed of/);
    expect(engine.memory()).toMatchObject({ used: 0, pooled: 0 });
    engine.dispose(); // a second time changes nothing
  });
});

/** What a promise rejects with, or undefined. */
async function failureOf(promise: Promise<unknown>): Promise<Error | undefined> {
  return promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
}
