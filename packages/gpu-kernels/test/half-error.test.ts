import { expect, test } from 'vitest';
import { halfError, referenceEngine, webgpuEngine } from '../src/index.ts';
import { describeGpu } from './support/describe-gpu.ts';

describeGpu('convolutions in half precision', ({ open }) => {
  test('are as good as halves can be', async () => {
    using opened = await open();
    using engine = webgpuEngine(opened.device);
    const error = await halfError(engine);
    expect(error).toBeLessThan(2e-7); // (2⁻¹²)² is the mean of the squared rounding error, and more
    expect(error).toBeGreaterThan(1e-9); // something was rounded
    expect(engine.memory().used).toBe(0);
  });
});

test('an engine that computes halves wrong is found out', async () => {
  const engine = referenceEngine();
  const wrong: typeof engine = {
    ...engine,
    run: (kernel, inputs, options) =>
      engine.run(
        kernel.name === 'conv2dHalf' ? { ...kernel, reference: (_, __, output) => output.fill(1) } : kernel,
        inputs,
        options,
      ),
  };
  expect(await halfError(engine)).toBeLessThan(2e-7);
  expect(await halfError(wrong)).toBeGreaterThan(0.1);
});
