import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { maskImages, numpyRandom, rows, tensor, uniformTensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { type Graph, ModelError, ortClassifier, rules } from '../src/index.ts';
import { embeddedModel } from './support/embedded-model.ts';
import { plainNet } from './support/tiny-nets.ts';

const images = uniformTensor(numpyRandom(3), [5, 3, 6, 6]);

test('a thread of its own gives the same numbers to the last bit, and leaves the questions as they were', async () => {
  await using here = ortClassifier(plainNet(), { maxBatch: 2 });
  await using there = ortClassifier(plainNet(), { maxBatch: 2, thread: 'own' });
  const before = images.data.slice();
  const start = tensor(Array.from({ length: 5 }, () => [...rules.zPlus.start(4, 1)]).flat(), [5, 4]);
  const masks = {
    kernel: maskImages,
    inputs: { image: rows(images, 0, 1), activations: uniformTensor(numpyRandom(1), [3, 2, 2]) },
    rows: 'activations' as const,
    options: { resize: 'half-pixel' as const, normalise: 'after-resize' as const, epsilon: 0 },
  };
  for (const classifier of [here, there]) await classifier.predict(images);
  expect(await there.values(images, ['early', 'late'])).toEqual(await here.values(images, ['early', 'late']));
  expect(await there.backward(images, 'early', 'zPlus', start)).toEqual(
    await here.backward(images, 'early', 'zPlus', start),
  );
  expect(await there.predictVariants(masks)).toEqual(await here.predictVariants(masks));
  expect(images.data).toEqual(before);
});

test('other work goes on while it computes, and the time in which it computes is known', async () => {
  const graph = await embeddedModel();
  await using classifier = ortClassifier(graph, { thread: 'own' });
  const photos = uniformTensor(numpyRandom(1), [8, 3, 224, 224]);
  await classifier.predict(photos);
  const compiling = classifier.busy?.() ?? 0;
  let turns = 0;
  const ticking = setInterval(() => turns++, 5);
  const begun = performance.now();
  await classifier.predict(photos);
  clearInterval(ticking);
  const took = (performance.now() - begun) / 1000;
  const computed = (classifier.busy?.() ?? 0) - compiling;
  expect(turns).toBeGreaterThan(5);
  expect(computed).toBeGreaterThan(0.5 * took);
  expect(computed).toBeLessThanOrEqual(took);
});

test('what goes wrong there is told as it is told here', async () => {
  const broken: Graph = { ...plainNet(), nodes: plainNet().nodes.map((node) => ({ ...node, op: `No${node.op}` })) };
  const messages: unknown[] = [];
  for (const thread of ['caller', 'own'] as const) {
    await using classifier = ortClassifier(broken, { thread });
    const error = await classifier.predict(images).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelError);
    messages.push((error as Error).message); // it is one
  }
  expect(messages[0]).toMatch(/^ONNX Runtime \(cpu\) refused the network: .*No/);
  expect(messages[1]).toBe(messages[0]);
});

test('after an error it answers, after close it does not, and closing what was never asked is quick', async () => {
  const classifier = ortClassifier(plainNet(), { thread: 'own' });
  await expect(classifier.values(images, ['nowhere'])).rejects.toThrow();
  expect((await classifier.predict(images)).shape).toEqual([5, 4]);
  await classifier.close();
  await expect(classifier.predict(images)).rejects.toThrow('The classifier is closed');
  await ortClassifier(plainNet(), { thread: 'own' }).close();
});

test('a thread that is gone is told, and closing what it had is no error', async () => {
  const begun = once(process, 'worker');
  const classifier = ortClassifier(plainNet(), { thread: 'own' });
  await classifier.predict(images);
  const [thread] = await begun;
  await thread.terminate();
  for (let times = 0; times < 2; times++) {
    await expect(classifier.predict(images)).rejects.toThrow('The thread of ONNX Runtime ended with 1. Open another');
  }
  await classifier.close();
});

test('a program that forgets to close it ends all the same', async () => {
  const program = `
    const { ortClassifier } = await import('@cambium/cam');
    const { plainNet } = await import('./support/tiny-nets.ts');
    const { zeros } = await import('@cambium/gpu-kernels');
    const { shape } = await ortClassifier(plainNet(), { thread: 'own' }).predict(zeros(1, 3, 6, 6));
    console.log(shape.join());`;
  const flags = ['--conditions=source', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, flags, {
    cwd: join(import.meta.dirname),
    timeout: 30_000,
  });
  expect(stdout).toBe('1,4\n');
});
