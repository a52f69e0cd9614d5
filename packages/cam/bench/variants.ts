import { conv2dWinograd, convolutionPrograms, type OpenedDevice } from '@cambium/gpu-kernels';
import { type ConvolutionChoice, convolutionFor } from '../src/classifiers/convolution-for.ts';
import type { Graph } from '../src/onnx/graph.ts';
import { type TimedConvolution, tune, tuningOf } from '../src/tuning/tune.ts';

/** A way to compute a network on a device. */
export interface Variant extends ConvolutionChoice {
  readonly precision: 'f32' | 'f16';
  /** How the programs of every convolution compared, where the way was found by tuning. */
  readonly timed?: readonly TimedConvolution[];
}

/** All ways that are compared, what matters most first, each from the device, the network and the batch; or why there is none. */
const ways: {
  readonly [name: string]: (opened: OpenedDevice, graph: Graph, batch: number) => Promise<Variant> | Variant | string;
} = {
  f32: (opened) => ({ precision: 'f32', ...convolutionFor(opened) }),
  f16: (opened) => ({ precision: 'f16', ...convolutionFor(opened) }),
  'f16-tiles': (opened) =>
    opened.subgroups.matrices.length === 0
      ? 'is what f16 is here: the device lists no matrices of subgroups, or was found to compute them wrong'
      : { precision: 'f16', ...convolutionFor({ ...opened, subgroups: undefined }) },
  'f16-tuned': (opened, graph, batch) => tuned(opened, graph, { batch, precision: 'f16' }),
  'f32-tuned': (opened, graph, batch) => tuned(opened, graph, { batch, precision: 'f32' }),
  'f32-winograd'(opened) {
    const usual = convolutionFor(opened);
    const convolution: ConvolutionChoice['convolution'] = (shape) =>
      convolutionPrograms(opened, shape.options).find((program) => program === conv2dWinograd) ??
      usual.convolution(shape);
    if (opened.limits.maxComputeWorkgroupStorageSize >= 32_768) return { precision: 'f32', ...usual, convolution };
    return 'the device has less than the 32 KiB of workgroup memory that it needs';
  },
};

export const variantNames: readonly string[] = Object.keys(ways);

/**
 * @param name one of `variantNames`
 * @returns why the device cannot compute so, in words, where it cannot
 */
export async function variantOf(
  name: string,
  opened: OpenedDevice,
  graph: Graph,
  batch: number,
): Promise<Variant | string> {
  return ways[name](opened, graph, batch);
}

async function tuned(
  opened: OpenedDevice,
  graph: Graph,
  options: { readonly batch: number; readonly precision: 'f32' | 'f16' },
): Promise<Variant> {
  const timing = { rounds: 3, batchSeconds: opened.software ? 0 : 0.005 };
  const timed = await tune(opened, graph, { ...options, timing });
  return { precision: options.precision, ...convolutionFor(opened, tuningOf(timed)), timed };
}
