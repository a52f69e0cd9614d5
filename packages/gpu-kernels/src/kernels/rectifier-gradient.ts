import type { Kernel } from '../kernel.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import { uniformTensor } from '../random.ts';
import { planPointwise, samplePoints } from './pointwise.ts';
import { requireSame } from './shapes.ts';

/** Where a rectifier lets the gradient pass. ReLU: floor 0, ceiling Infinity, slope 0. ReLU6: ceiling 6. */
export interface RectifierOptions {
  readonly floor: number;
  /** Above `floor`; may be Infinity. */
  readonly ceiling: number;
  /** Factor at and below the floor: 0 for ReLU, α for LeakyRelu. */
  readonly slope: number;
}

/**
 * The gradient of a rectifier with respect to its input.
 *
 *     gradient × (1 where floor < x < ceiling, slope where x ≤ floor, 0 where x ≥ ceiling)
 *
 * Both inputs have the same shape, any shape. At the kinks it is PyTorch's choice: the gradient of ReLU at 0 is 0.
 *
 * @throws ShapeError when the two shapes differ
 * @throws RangeError when the ceiling is not above the floor
 */
export const rectifierGradient: Kernel<
  'gradient' | 'input',
  'count' | 'floor' | 'ceiling' | 'slope',
  RectifierOptions
> = {
  name: 'rectifierGradient',
  inputs: ['gradient', 'input'],
  uniforms: { count: 'u32', floor: 'f32', ceiling: 'f32', slope: 'f32' },
  plan({ gradient, input }, { floor, ceiling, slope }) {
    requireSame('rectifierGradient', 'an input', gradient, input);
    if (!(ceiling > floor)) {
      throw new RangeError(`rectifierGradient expected a ceiling above the floor ${floor}, got ${ceiling}.`);
    }
    const plan = planPointwise(input);
    return { ...plan, uniforms: { ...plan.uniforms, floor: finite(floor), ceiling: finite(ceiling), slope } };
  },
  rows: () => ['gradient', 'input'],
  reference({ gradient, input }, { count, floor, ceiling, slope }, output) {
    for (let index = 0; index < count; index++) {
      const factor = input[index] >= ceiling ? 0 : input[index] > floor ? 1 : slope;
      output[index] = gradient[index] * factor;
    }
  },
  wgsl: /* wgsl */ `
    struct Uniforms { count: u32, floor: f32, ceiling: f32, slope: f32 }
    @group(0) @binding(0) var<storage, read> gradient: array<f32>;
    @group(0) @binding(1) var<storage, read> input: array<f32>;
    @group(0) @binding(2) var<storage, read_write> output: array<f32>;
    @group(0) @binding(3) var<uniform> u: Uniforms;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let index = id.x + id.y * (groups.x * 64u);
      if (index >= u.count) { return; }
      let value = input[index];
      let below_ceiling = select(u.slope, 1.0, value > u.floor);
      output[index] = gradient[index] * select(below_ceiling, 0.0, value >= u.ceiling);
    }`,
  onnx: (trace, { inputs, options }) => trace.node('Mul', [inputs.gradient, passedShare(trace, inputs.input, options)]),
  samples: (random) =>
    samplePoints(random).flatMap((input) =>
      [
        { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0 },
        { floor: 0, ceiling: 2, slope: 0 },
        { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0.125 },
        { floor: -1, ceiling: 1.5, slope: 0.25 },
      ].map((options) => [{ gradient: uniformTensor(random, input.shape), input }, options] as const),
    ),
};

function passedShare(trace: OnnxTrace, input: string, { floor, ceiling, slope }: RectifierOptions): string {
  let share = trace.greater(input, trace.floats([finite(floor)], []));
  if (slope !== 0) {
    const scaled = trace.node('Mul', [share, trace.floats([1 - slope], [])]);
    share = trace.node('Add', [scaled, trace.floats([slope], [])]);
  }
  if (ceiling === Number.POSITIVE_INFINITY) return share;
  return trace.node('Mul', [share, trace.greater(trace.floats([ceiling], []), input)]);
}

/** Shaders may assume that no number is infinite, so the largest float32 stands for it. */
export function finite(value: number): number {
  const largest = 3.4028234663852886e38;
  return Math.min(Math.max(value, -largest), largest);
}
