import { afterAll, describe, expect, test } from 'vitest';
import {
  type AnyKernel,
  type Engine,
  type KernelName,
  kernels,
  mapNamed,
  type Named,
  numpyRandom,
  onnxEngine,
  recordingEngine,
  referenceEngine,
  type Shape,
  ShapeError,
  webgpuEngine,
  zeros,
} from '../src/index.ts';
import { openNullDevice } from './support/null-device.ts';

// Nothing is computed here, so the null backend will do, which every machine has.
const device = await openNullDevice();
const gpu = webgpuEngine(device);

const engines: readonly (readonly [string, Engine])[] = [
  ['referenceEngine', referenceEngine()],
  ['onnxEngine', onnxEngine(18)],
  ['recordingEngine', recordingEngine()],
  ['webgpuEngine', gpu],
];

describe.each(engines)('%s', (_, engine) => {
  test.each(Object.keys(kernels) as KernelName[])('refuses an axis of length 0 anywhere in %s', (name) => {
    const kernel: AnyKernel = kernels[name];
    let tried = 0;
    for (const [inputs, options] of kernel.samples(numpyRandom(1))) {
      const shapes = mapNamed(kernel.inputs as readonly string[], (input) => inputs[input].shape);
      for (const empty of withZeros(shapes)) {
        const upload = () => mapNamed(kernel.inputs, (input) => engine.upload(zeros(...empty[input])));
        expect(() => engine.run(kernel, upload(), options), JSON.stringify(empty)).toThrow(ShapeError);
        expect(() => engine.run(kernel, upload(), options)).toThrow(/ expected tensors of at least one number, got /);
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(1);
  });

  test('names the kernel, the input and its shape', () => {
    if (engine === gpu) return; // whose uploads refuse before
    const input = engine.upload(zeros(2, 0, 3));
    expect(() => engine.run(kernels.positivePart, { input }, undefined)).toThrow(
      'positivePart expected tensors of at least one number, got input [2, 0, 3].',
    );
  });
});

test('a kernel that makes nothing is refused as well', () => {
  const nothing: AnyKernel = {
    ...kernels.positivePart,
    plan: () => ({ output: [2, 0], uniforms: {}, workgroups: [1, 1, 1] }),
  };
  expect(() => referenceEngine().run(nothing, { input: zeros(2) }, undefined)).toThrow(/got output \[2, 0\]/);
});

afterAll(() => {
  gpu.dispose();
  device.destroy();
});

/** The shapes with one axis of one input at 0, for each axis of each input. */
function withZeros(shapes: Named<string, Shape>): readonly Named<string, Shape>[] {
  return Object.entries(shapes).flatMap(([name, shape]) =>
    shape.map((_, axis) => ({ ...shapes, [name]: shape.with(axis, 0) })),
  );
}
