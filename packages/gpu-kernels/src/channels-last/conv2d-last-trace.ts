import type { Call } from '../kernel.ts';
import { spreadAttributes } from '../kernels/window.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import type { Conv2dLastInput, Conv2dLastOptions } from './conv2d-last-plan.ts';
import { FIRST, LAST, traceTurned } from './layout.ts';

/**
 * The nodes that compute a convolution, or its way back, with channels last: a Conv or ConvTranspose between transpositions.
 *
 * @param groups 1, or as many as there are channels
 */
export function traceConv2dLast(
  trace: OnnxTrace,
  { inputs, shapes, options }: Call<Conv2dLastInput, Conv2dLastOptions>,
  groups = 1,
): string {
  const input = trace.node('Transpose', [inputs.input], FIRST);
  const maps = options.back ? traceBack(trace, input, inputs.weights, { shapes, options, groups }) : traceForward();
  const sum = trace.node('Add', [trace.node('Transpose', [maps], LAST), inputs.bias]);
  const shortened = trace.node('Add', [sum, inputs.residual]);
  return options.relu ? trace.node('Relu', [shortened]) : shortened;

  function traceForward(): string {
    const weights = trace.node('Transpose', [unpacked(trace, inputs.weights, { shapes, options, groups })], {
      perm: { ints: [3, 2, 0, 1] },
    });
    return trace.node('Conv', [input, weights], {
      kernel_shape: { ints: options.kernel },
      strides: { ints: options.strides },
      pads: { ints: options.pads },
      dilations: { ints: options.dilations },
      group: { int: groups },
    });
  }
}

type Fitted = Pick<Call<Conv2dLastInput, Conv2dLastOptions>, 'shapes' | 'options'> & { readonly groups: number };

function traceBack(trace: OnnxTrace, input: string, weights: string, fitted: Fitted): string {
  const { shapes, options, groups } = fitted;
  const turned = traceTurned(trace, unpacked(trace, weights, fitted), [0, 1], options.kernel);
  const filters = trace.node('Transpose', [turned], { perm: { ints: groups === 1 ? [2, 3, 0, 1] : [3, 2, 0, 1] } });
  const [, height, width] = shapes.input;
  const size = options.back ?? [height, width];
  return trace.node('ConvTranspose', [input, filters], {
    ...spreadAttributes([height, width], size, options),
    group: { int: groups },
  });
}

/** Packed weights as kernel height × kernel width × read × written. */
function unpacked(trace: OnnxTrace, weights: string, { shapes, options, groups }: Fitted): string {
  return trace.reshape(weights, [...options.kernel, shapes.input[3] / groups, shapes.weights[1]]);
}
