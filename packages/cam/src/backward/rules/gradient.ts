import { add, divide, type Resident, rectifierGradient, subtract, tensor } from '@cambium/gpu-kernels';
import { floatOf } from '../../onnx/attributes.ts';
import { plus, scaled, times } from '../arithmetic.ts';
import { batchNormGain } from '../batch-norm.ts';
import { clipBound } from '../geometry.ts';
import { linearMap } from '../linear-map.ts';
import { averageBack, maxPoolBack } from '../pooling.ts';
import { oneHot, type Rule, type Step } from '../rule.ts';
import { sumLike } from '../sum-like.ts';
import { routing } from './routing.ts';

/** The derivative of the target's logit with respect to the layer. At a kink (ReLU at 0) it is 0, as in PyTorch. */
export const gradient: Rule = {
  name: 'gradient',
  source: 'the chain rule; kinks as PyTorch autograd has them',
  mergeBatchNorm: false,
  start: oneHot,
  ops: {
    ...routing,
    Conv: linearBack,
    Gemm: linearBack,
    MatMul: linearBack,
    BatchNormalization: (step) => [times(step, step.arrived, step.engine.upload(batchNormGain(step)))],
    Relu: reluBack,
    LeakyRelu: (step) => [
      rectify(step, {
        floor: 0,
        ceiling: Number.POSITIVE_INFINITY,
        slope: floatOf(step.node.attributes, 'alpha', 0.01),
      }),
    ],
    Clip: (step) => [rectify(step, { floor: clipBound(step, 'min', 1), ceiling: clipBound(step, 'max', 2), slope: 0 })],
    Sigmoid: sigmoidBack,
    HardSigmoid: hardSigmoidBack,
    HardSwish: hardSwishBack,
    Add: addBack,
    Sum: addBack,
    Sub: (step) => [
      step.wanted[0] ? sumLike(step, step.arrived, 0) : null,
      step.wanted[1] ? sumLike(step, scaled(step, step.arrived, -1), 1) : null,
    ],
    Mul: (step) => [
      step.wanted[0] ? sumLike(step, times(step, step.arrived, step.input(1)), 0) : null,
      step.wanted[1] ? sumLike(step, times(step, step.arrived, step.input(0)), 1) : null,
    ],
    Div: divideBack,
    MaxPool: (step) => [maxPoolBack(step, step.arrived)],
    GlobalMaxPool: (step) => [maxPoolBack(step, step.arrived)],
    AveragePool: (step) => [averageBack(step, step.arrived)],
    GlobalAveragePool: (step) => [averageBack(step, step.arrived)],
    ReduceMean: (step) => [averageBack(step, step.arrived)],
  },
};

function linearBack(step: Step): (Resident | null)[] {
  const map = linearMap(step);
  return [map.back(step.arrived, map.weights)];
}

/** Asks the output, which is above 0 where the input is: so the runtime may fuse the ReLU with what comes before it. */
function reluBack(step: Step): (Resident | null)[] {
  const options = { floor: 0, ceiling: Number.POSITIVE_INFINITY, slope: 0 };
  return [step.engine.run(rectifierGradient, { gradient: step.arrived, input: step.output }, options)];
}

function rectify(step: Step, options: { floor: number; ceiling: number; slope: number }): Resident {
  return step.engine.run(rectifierGradient, { gradient: step.arrived, input: step.input(0) }, options);
}

function sigmoidBack(step: Step): (Resident | null)[] {
  const { engine, output } = step;
  const complement = engine.run(subtract, { left: engine.upload(tensor([1], [1])), right: output }, undefined);
  return [times(step, step.arrived, times(step, output, complement))];
}

/** max(0, min(1, αx + β)) has slope α between its bends. */
function hardSigmoidBack(step: Step): (Resident | null)[] {
  const alpha = floatOf(step.node.attributes, 'alpha', 0.2);
  const beta = floatOf(step.node.attributes, 'beta', 0.5);
  const inside = rectify(step, { floor: -beta / alpha, ceiling: (1 - beta) / alpha, slope: 0 });
  return [scaled(step, inside, alpha)];
}

/** x·max(0, min(1, x/6 + 1/2)) has slope x/3 + 1/2 between −3 and 3, 0 below and 1 above. */
function hardSwishBack(step: Step): (Resident | null)[] {
  const half = step.engine.upload(tensor([0.5], [1]));
  const slope = step.engine.run(add, { left: scaled(step, step.input(0), 1 / 3), right: half }, undefined);
  const inside = times(step, rectify(step, { floor: -3, ceiling: 3, slope: 0 }), slope);
  return [plus(step, inside, rectify(step, { floor: 3, ceiling: Number.POSITIVE_INFINITY, slope: 0 }))];
}

function addBack(step: Step): (Resident | null)[] {
  return step.wanted.map((wanted, index) => (wanted ? sumLike(step, step.arrived, index) : null));
}

/** d(a/b)/da = 1/b and d(a/b)/db = −(a/b)/b. */
function divideBack(step: Step): (Resident | null)[] {
  const { engine, wanted } = step;
  const right = step.input(1);
  const shared = engine.run(divide, { left: step.arrived, right }, undefined);
  return [
    wanted[0] ? sumLike(step, shared, 0) : null,
    wanted[1] ? sumLike(step, scaled(step, times(step, shared, step.output), -1), 1) : null,
  ];
}
