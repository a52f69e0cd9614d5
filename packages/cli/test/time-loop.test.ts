import { rmSync } from 'node:fs';
import { ortClassifier } from '@cambium/cam';
import { afterAll, expect, test } from 'vitest';
import { loadSuite } from '../src/study/load-suite.ts';
import { resolveStudy } from '../src/study/study.ts';
import { timeLoop } from '../src/study/time-loop.ts';
import { temporaryFolder } from './support/run-cambium.ts';
import { writeTinyStudy } from './support/tiny-study.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

test('a loop and batches are timed on the same masks, and a classifier that takes seconds is not timed', async () => {
  const study = await resolveStudy(await loadSuite(await writeTinyStudy(folder), undefined), {}, undefined);
  await using inner = ortClassifier(study.model.graph);
  const alone: number[][] = [];
  const together: number[][] = [];
  const classifier: typeof inner = {
    ...inner,
    async predict(batch) {
      const logits = await inner.predict(batch);
      alone.push([...logits.data]);
      return logits;
    },
    async predictVariants(batch) {
      const logits = await inner.predictVariants(batch);
      together.push([...logits.data]);
      return logits;
    },
  };
  let now = 0;
  const timing = await timeLoop(study, classifier, () => now++ / 4);
  expect(timing).toEqual({ images: 8, batch: 4, single: 1 / 32, batched: 1 / 16 });
  const [first] = together;
  expect(alone.length).toBe(2 + 8);
  for (const [index, value] of alone.slice(2, 6).flat().entries()) expect(first[index]).toBeCloseTo(value, 4);

  const asked = alone.length;
  expect(await timeLoop(study, classifier, () => 2 * now++)).toBeUndefined();
  expect(alone.length).toBe(asked + 2);
});
