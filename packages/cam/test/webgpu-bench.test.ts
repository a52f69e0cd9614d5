import { expect, test } from 'vitest';
import { differenceOf, image, masked, recordedLogits, recordedMasked } from '../bench/recorded.ts';
import { ortClassifier } from '../src/index.ts';
import { embeddedModel } from './support/embedded-model.ts';

test('the record that a machine without ONNX Runtime is held to is what ONNX Runtime gives', async () => {
  await using classifier = ortClassifier(await embeddedModel());
  expect(differenceOf(await classifier.predict(image), recordedLogits)).toBeLessThan(1e-5);
  expect(differenceOf(await classifier.predictVariants(masked(4)), recordedMasked)).toBeLessThan(1e-5);
  expect(masked(9).inputs.activations.data.subarray(0, 196)).toEqual(masked(4).inputs.activations.data);
});
