import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Classifier, ortClassifier } from '@cambium/cam';
import { stack, type Tensor } from '@cambium/gpu-kernels';
import { expect, test } from 'vitest';
import { checkAgreement } from '../src/study/check-agreement.ts';
import { loadSuite } from '../src/study/load-suite.ts';
import { resolveStudy } from '../src/study/study.ts';
import { writeTinyStudy } from './support/tiny-study.ts';

const folder = mkdtempSync(join(tmpdir(), 'cambium-agreement-'));
const suite = await writeTinyStudy(folder);
const asked = { images: join(folder, 'images'), limit: 2 };
const study = await resolveStudy(await loadSuite(suite, undefined), asked, undefined);

/** ONNX Runtime under another name, changed. */
function other(change: (own: Classifier) => Partial<Classifier>): Classifier {
  const own = ortClassifier(study.model.graph);
  return { ...own, device: 'webgpu card', ...change(own) };
}

function imageOf({ inputs }: { readonly inputs: { readonly [name: string]: Tensor } }): Tensor {
  return inputs.image;
}

test('a device that agrees is told how well, logits and every map', async () => {
  await using classifier = other(() => ({}));
  const { tests } = await checkAgreement(study, classifier);
  expect(tests).toHaveLength(2 * (1 + 3 + 2 * 3)); // logits; variants by three kernels; two layers × three techniques
  for (const { difference } of tests) expect(difference).toBeLessThan(1e-6);
});

test('ONNX Runtime in float32 is not held to itself', async () => {
  await using classifier = ortClassifier(study.model.graph);
  expect((await checkAgreement(study, classifier)).tests).toEqual([]);
});

type Fault = readonly [what: string, change: (own: Classifier) => Partial<Classifier>, reason: RegExp];

const faults: readonly Fault[] = [
  [
    'logits',
    (own) => ({
      predict: async (batch) => {
        const logits = await own.predict(batch);
        return { ...logits, data: logits.data.map((value) => 1.01 * value) };
      },
    }),
    /logits of .*: 1\.0e-2, at most 0\.001 is allowed/,
  ],
  [
    'a gradient',
    (own) => ({
      async backward(...request) {
        const walked = await own.backward(...request);
        return { ...walked, arrived: { ...walked.arrived, data: walked.arrived.data.map((value) => -value) } };
      },
    }),
    /map of Grad-CAM at early of /,
  ],
  ...(['with regions filled', 'with features replaced', 'moved sideways'] as const).map(
    (made, index): Fault => [
      `images ${made}`,
      (own) => ({
        // the image itself in place of its variants
        predictVariants: (batch) =>
          batch.kernel.name === ['fillRegions', 'replacePixels', 'translate'][index]
            ? own.predict(stack(Array.from({ length: batch.inputs[batch.rows].shape[0] }, () => imageOf(batch))))
            : own.predictVariants(batch),
      }),
      new RegExp(`logits of .* ${made}, in units`),
    ],
  ),
];

test.each(faults)('a device that gets %s wrong is stopped before anything is run', async (_, change, reason) => {
  await using classifier = other(change);
  const refusal: unknown = await checkAgreement(study, classifier).catch((error: unknown) => error);
  const message = refusal instanceof Error ? refusal.message : 'not refused';
  expect(message).toMatch(/^webgpu card disagrees with ONNX Runtime in float32: .*Nothing was run\./);
  expect(message).toMatch(reason);
});
