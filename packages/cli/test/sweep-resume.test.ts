import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Classifier, explain, methods, ortClassifier, probeImage, readModel } from '@cambium/cam';
import { numpyRandom, uniformTensor } from '@cambium/gpu-kernels';
import { afterAll, expect, test } from 'vitest';
import { type Journal, openJournal } from '../src/study/journal.ts';
import { openTurns } from '../src/study/turns.ts';
import { workingClassifier } from '../src/study/working-classifier.ts';
import { temporaryFolder } from './support/run-cambium.ts';
import { SIDE, tinyModel } from './support/tiny-study.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const BATCH = 2;
const image = uniformTensor(numpyRandom(4), [1, 3, SIDE, SIDE]);

/** A classifier that counts its sweeps' batches, and is gone when it is asked for one more than it has. */
function mortal(batches: number): { readonly classifier: Classifier; asked(): number } {
  const inner = ortClassifier(readModel(tinyModel()), { threads: 1 });
  let asked = 0;
  return {
    asked: () => asked,
    classifier: {
      ...inner,
      predictVariants(batch) {
        if (++asked > batches) throw new Error('killed');
        return inner.predictVariants(batch);
      },
    },
  };
}

async function scoreCam(inner: Classifier, path?: string): Promise<Float32Array> {
  using journal = path === undefined ? undefined : openJournal(path);
  await using classifier = workingClassifier(inner, { journal });
  const probe = await (await probeImage(classifier, image, { layers: ['late'], batch: BATCH })).at('late', 1);
  return (await explain(probe, methods['score-cam'])).coarse.data;
}

test('a Score-CAM that is killed in the middle of its masks loses the batch that was under way and no more', async () => {
  const whole = mortal(Number.POSITIVE_INFINITY);
  const expected = await scoreCam(whole.classifier);
  expect(whole.asked()).toBeGreaterThanOrEqual(5);
  for (let done = 1; done < whole.asked(); done++) {
    const path = join(folder, `${done}.bin`);
    await expect(scoreCam(mortal(done).classifier, path)).rejects.toThrow('killed');
    const rest = mortal(Number.POSITIVE_INFINITY);
    expect(await scoreCam(rest.classifier, path)).toEqual(expected);
    expect(rest.asked()).toBe(whole.asked() - done);
  }
});

test('with two images at work, every answer is in its journal before the next question is asked: a kill loses one', async () => {
  const inner = ortClassifier(readModel(tinyModel()), { threads: 1 });
  const turns = openTurns();
  using first = openJournal(join(folder, 'first.bin'));
  using second = openJournal(join(folder, 'second.bin'));
  let answered = 0;
  let kept = 0;
  const counting = (journal: Journal): Journal => ({
    ...journal,
    add(entries) {
      kept++;
      journal.add(entries);
    },
  });
  const watched: Classifier = {
    ...inner,
    async predict(batch) {
      expect(kept).toBe(answered);
      const logits = await inner.predict(batch);
      answered++;
      return logits;
    },
  };
  const work = async (journal: Journal, seed: number) => {
    const classifier = workingClassifier(watched, { journal: counting(journal), turns });
    for (let asked = 0; asked < 20; asked++) {
      await classifier.predict(uniformTensor(numpyRandom(100 * seed + asked), [1, 3, SIDE, SIDE]));
    }
    return classifier.tally;
  };
  const tallies = await Promise.all([work(first, 1), work(second, 2)]);
  await inner.close();
  expect([answered, kept]).toEqual([40, 40]);
  for (const { forwards, waited } of tallies) {
    expect(forwards).toBe(20);
    expect(waited).toBeGreaterThan(0);
  }
});
