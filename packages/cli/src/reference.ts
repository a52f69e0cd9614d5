import type { Classifier, Precision } from '@cambium/cam';
import type { Tensor } from '@cambium/gpu-kernels';
import { UsageError } from './errors.ts';
import type { SelfTest } from './self-test.ts';

// The reference that any other way to compute is held to: ONNX Runtime in float32 on the CPU.

/** Largest difference from the reference that is allowed: of logits in units of the largest, of maps from 0 to 1. */
export const ALLOWED: { readonly [precision in Precision]: { readonly logits: number; readonly map: number } } = {
  f32: { logits: 1e-3, map: 1e-2 }, // ReLUs may flip where they stand at 0
  f16: { logits: 2e-2, map: 2e-2 },
  int8: { logits: 0.2, map: 5e-2 },
};

/** Whether a classifier computes as the reference does. */
export function isReference({ device, precision }: Classifier): boolean {
  return device === 'onnxruntime cpu' && precision === 'f32';
}

/** A classifier and what it is held to. */
export interface Compared {
  readonly classifier: Classifier;
  readonly reference: Classifier;
}

/**
 * Compares logits with the reference's.
 *
 * @param name of the images
 * @param own N×classes, made by the classifier
 * @param theirs N×classes
 */
export function compareLogits(name: string, own: Tensor, theirs: Tensor, { precision }: Classifier): SelfTest {
  return {
    name: `logits of ${name}, in units of the largest, with ONNX Runtime’s in float32`,
    difference: relativeDifference(own, theirs),
    tolerance: ALLOWED[precision].logits,
  };
}

function relativeDifference(a: Tensor, b: Tensor): number {
  const scale = b.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  return a.data.reduce((most, value, index) => Math.max(most, Math.abs(value - b.data[index])), 0) / scale;
}

/** @throws UsageError for the first test that did not come out as it may */
export function requireAgreement({ device }: Classifier, tests: readonly SelfTest[]): void {
  const wrong = tests.find(({ difference, tolerance }) => !(difference <= tolerance));
  if (!wrong) return;
  throw new UsageError(
    `${device} disagrees with ONNX Runtime in float32: ${wrong.name}: ${wrong.difference.toExponential(1)}, at most ${wrong.tolerance} is allowed. Nothing was run. Use --device cpu, or --precision f32.`,
  );
}
