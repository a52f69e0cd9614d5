import { expect, test } from 'vitest';
import { conv2dHalf, halfError, referenceEngine, webgpuEngine } from '../src/index.ts';
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

test.each([
  ['strides taken for each other', { strideY: 'strideX', strideX: 'strideY' }],
  ['a stride that is forgotten', { strideY: 'strideX' }],
  ['dilations taken for each other', { dilationY: 'dilationX', dilationX: 'dilationY' }],
  ['a dilation that is forgotten', { dilationX: 'dilationY' }],
  ['pads taken for each other', { padTop: 'padLeft', padLeft: 'padTop' }],
  ['bounds taken for each other', { height: 'width', width: 'height' }],
] as const)('%s are found out', async (_, mistaken: Partial<Record<string, string>>) => {
  const program: typeof conv2dHalf = {
    ...conv2dHalf,
    plan(shapes, options) {
      const { uniforms, ...plan } = conv2dHalf.plan(shapes, options);
      const names = Object.keys(uniforms) as (keyof typeof uniforms)[]; // a record has no other keys
      const taken = names.map((name) => [name, uniforms[(mistaken[name] ?? name) as typeof name]]); // names of uniforms
      return { ...plan, uniforms: Object.fromEntries(taken) as typeof uniforms };
    },
  };
  expect(await halfError(referenceEngine(), program)).toBeGreaterThan(1e-3);
});

test('products that are forgotten at the end of a depth that is no multiple of 16 are found out', async () => {
  const program: typeof conv2dHalf = {
    ...conv2dHalf,
    reference({ weights, ...inputs }, uniforms, output) {
      const row = 2 * uniforms.quadsOut; // words
      const whole = Math.floor(weights.length / row / 16) * 16 * row;
      conv2dHalf.reference(
        { ...inputs, weights: weights.map((word, at) => (at < whole ? word : 0)) },
        uniforms,
        output,
      );
    },
  };
  expect(await halfError(referenceEngine(), program)).toBeGreaterThan(1e-3);
});
