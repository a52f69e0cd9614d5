import { add } from '../kernels/add.ts';
import { type Conv2dOptions, conv2d } from '../kernels/conv2d.ts';
import { conv2dFused } from '../kernels/conv2d-fused.ts';
import { positivePart } from '../kernels/positive-part.ts';
import type { RecordedStep, RecordedValue } from './recording-engine.ts';

/**
 * Lets convolutions add the shortcut and apply the ReLU that follow them, where nothing else reads what lies between:
 *
 *     conv2d → add → positivePart  becomes  conv2dFused with ReLU
 *
 * so that a residual block writes its result once. Numbers change only by the order of one addition.
 *
 * @param outputs values that must be there when the recording has run
 */
export function fuseConvolutions(
  recorded: readonly RecordedStep[],
  outputs: readonly RecordedValue[],
): readonly RecordedStep[] {
  const uses = countUses(recorded, outputs);
  const steps = new Set<RecordedStep>();
  const makers = new Map<RecordedValue, RecordedStep>();
  /** The convolution that makes a value which only one step reads. */
  const convolutionBehind = (value: RecordedValue): RecordedStep | undefined => {
    const maker = makers.get(value);
    const isConvolution = maker?.kernel === conv2d || maker?.kernel === conv2dFused;
    return isConvolution && uses.get(value) === 1 && !(maker.options as Conv2dOptions).relu ? maker : undefined; // of those two kernels
  };

  for (const step of recorded) {
    const merged = withShortcut(step, convolutionBehind) ?? withRectifier(step, convolutionBehind);
    if (merged) steps.delete(merged.replaced);
    const kept = merged?.fused ?? step;
    steps.add(kept);
    makers.set(kept.output, kept);
  }
  return [...steps];
}

type Find = (value: RecordedValue) => RecordedStep | undefined;

interface Merged {
  readonly replaced: RecordedStep;
  readonly fused: RecordedStep;
}

function withShortcut({ kernel, inputs, output }: RecordedStep, find: Find): Merged | undefined {
  if (kernel !== add || inputs.left.shape.join() !== inputs.right.shape.join()) return undefined;
  for (const [own, residual] of [
    [inputs.left, inputs.right],
    [inputs.right, inputs.left],
  ]) {
    const replaced = own === residual ? undefined : find(own);
    if (replaced?.kernel !== conv2d) continue;
    const fused = { kernel: conv2dFused, inputs: { ...replaced.inputs, residual }, options: replaced.options, output };
    return { replaced, fused };
  }
  return undefined;
}

function withRectifier({ kernel, inputs, output }: RecordedStep, find: Find): Merged | undefined {
  const replaced = kernel === positivePart ? find(inputs.input) : undefined;
  if (!replaced) return undefined;
  const options = { ...(replaced.options as Conv2dOptions), relu: true }; // a convolution's
  return { replaced, fused: { ...replaced, options, output } };
}

function countUses(
  steps: readonly RecordedStep[],
  outputs: readonly RecordedValue[],
): ReadonlyMap<RecordedValue, number> {
  const uses = new Map<RecordedValue, number>();
  const use = (value: RecordedValue) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const { kernel, inputs } of steps) for (const name of kernel.inputs) use(inputs[name]);
  outputs.forEach(use);
  return uses;
}
