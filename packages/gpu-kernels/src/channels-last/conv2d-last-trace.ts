import type { Call } from '../kernel.ts';
import { spreadAttributes } from '../kernels/window.ts';
import type { OnnxTrace } from '../onnx-trace.ts';
import type { Conv2dLastInput, Conv2dLastOptions } from './conv2d-last-plan.ts';
import { FIRST, LAST, traceTurned } from './layout.ts';

/** The nodes that compute a convolution, or its way back, with channels last: a Conv or ConvTranspose between transpositions. */
export function traceConv2dLast(
  trace: OnnxTrace,
  { inputs, shapes, options }: Call<Conv2dLastInput, Conv2dLastOptions>,
): string {
  const input = trace.node('Transpose', [inputs.input], FIRST);
  const maps = options.back ? traceBack(trace, input, inputs.weights, { shapes, options }) : traceForward();
  const sum = trace.node('Add', [trace.node('Transpose', [maps], LAST), inputs.bias]);
  const shortened = trace.node('Add', [sum, inputs.residual]);
  return options.relu ? trace.node('Relu', [shortened]) : shortened;

  function traceForward(): string {
    const weights = trace.node('Transpose', [unpacked(trace, inputs.weights, { shapes, options })], {
      perm: { ints: [3, 2, 0, 1] },
    });
    return trace.node('Conv', [input, weights], {
      kernel_shape: { ints: options.kernel },
      strides: { ints: options.strides },
      pads: { ints: options.pads },
      dilations: { ints: options.dilations },
    });
  }
}

type Fitted = Pick<Call<Conv2dLastInput, Conv2dLastOptions>, 'shapes' | 'options'>;

function traceBack(trace: OnnxTrace, input: string, weights: string, { shapes, options }: Fitted): string {
  const turned = traceTurned(trace, unpacked(trace, weights, { shapes, options }), [0, 1], options.kernel);
  const filters = trace.node('Transpose', [turned], { perm: { ints: [2, 3, 0, 1] } });
  const [, height, width] = shapes.input;
  const size = options.back ?? [height, width];
  return trace.node('ConvTranspose', [input, filters], spreadAttributes([height, width], size, options));
}

/** Packed weights as kernel height × kernel width × read × written. */
function unpacked(trace: OnnxTrace, weights: string, { shapes, options }: Fitted): string {
  return trace.reshape(weights, [...options.kernel, shapes.input[3], shapes.weights[1]]);
}
