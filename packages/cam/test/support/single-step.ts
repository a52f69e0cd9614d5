import { type Resident, referenceEngine, type Tensor, zeros } from '@cambium/gpu-kernels';
import type { Step } from '../../src/backward/rule.ts';
import type { RuleName } from '../../src/index.ts';
import { rules } from '../../src/index.ts';
import type { Constant, GraphAttribute } from '../../src/onnx/graph.ts';

/** One node, its inputs (those in `constants` stored, the others computed) and what arrived at its output. */
export interface SingleNode {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  /** Indices of inputs that are stored in the model. */
  readonly constants: readonly number[];
  readonly output?: Tensor;
  readonly arrived: Tensor;
  readonly attributes?: { readonly [name: string]: GraphAttribute };
  /** What made the first input. */
  readonly producer?: string;
}

/** Passes what arrived at one node on to its inputs, by the reference loops: a rule's table, without a network. */
export function passBack(rule: RuleName, node: SingleNode): (Tensor | null)[] {
  const first = node.inputs[0];
  const step: Step = {
    node: {
      name: node.op,
      op: node.op,
      domain: '',
      inputs: node.inputs.map((_, index) => `input${index}`),
      outputs: ['output'],
      attributes: node.attributes ?? {},
    },
    input: (index) => node.inputs[index],
    output: node.output ?? zeros(...node.arrived.shape),
    outputShape: () => node.arrived.shape,
    arrived: node.arrived,
    arrivals: [node.arrived],
    wanted: node.inputs.map((_, index) => !node.constants.includes(index)),
    nonNegative: node.inputs.map((input) => input === first && input.data.every((value) => value >= 0)),
    producer: node.producer ?? '',
    constant: (index) => (node.constants.includes(index) ? asConstant(node.inputs[index]) : undefined),
    engine: referenceEngine(),
  };
  return rules[rule].ops[node.op](step).map((resident) => (resident ? asTensor(resident) : null));
}

function asConstant(tensor: Tensor): Constant {
  return { type: 'float32', ...tensor };
}

function asTensor(resident: Resident): Tensor {
  if (!('data' in resident)) throw new TypeError('the reference engine keeps tensors');
  return resident as Tensor;
}
