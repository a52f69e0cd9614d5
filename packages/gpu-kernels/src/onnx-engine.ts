import type { Engine, Resident } from './engine.ts';
import type { Kernel, Named } from './kernel.ts';
import { mapNamed } from './named.ts';
import { OnnxTrace } from './onnx-trace.ts';
import { planRun } from './plan-run.ts';
import type { Shape, Tensor } from './tensor.ts';

/** An engine that computes nothing: running a kernel writes down the ONNX nodes that would. */
export interface OnnxEngine extends Engine {
  readonly trace: OnnxTrace;
  /** A value that exists already: a graph input, a constant or the output of a node of the surrounding graph. */
  value(name: string, shape: Shape): Resident;
  /** The name under which a resident stands in the graph. */
  nameOf(resident: Resident): string;
}

/**
 * Opens an engine that traces kernels to ONNX nodes. What it collected is `engine.trace`.
 *
 * @param opset the opset of the graph that the nodes will join, 7 or later
 */
export function onnxEngine(opset: number, prefix?: string): OnnxEngine {
  const trace = new OnnxTrace(opset, prefix);
  const names = new WeakMap<Resident, string>();

  function value(name: string, shape: Shape): Resident {
    const resident = { shape };
    names.set(resident, name);
    return resident;
  }

  function nameOf(resident: Resident): string {
    const name = names.get(resident);
    if (name === undefined)
      throw new TypeError('onnxEngine was given a resident of another engine; upload it here first.');
    return name;
  }

  function run<In extends string, U extends string, O>(
    kernel: Kernel<In, U, O>,
    inputs: Named<In, Resident>,
    options: O,
  ): Resident {
    const shapes = mapNamed(kernel.inputs, (name) => inputs[name].shape);
    const { output } = planRun(kernel, shapes, options);
    if (!kernel.onnx) throw new TypeError(`Kernel ${kernel.name} has no ONNX form; run it on another engine.`);
    const call = { inputs: mapNamed(kernel.inputs, (name) => nameOf(inputs[name])), shapes, output, options };
    return value(kernel.onnx(trace, call), output);
  }

  return {
    name: 'onnx',
    trace,
    value,
    nameOf,
    upload: (source: Tensor) => value(trace.floats(source.data, source.shape), source.shape),
    run,
    download: async () => {
      throw new TypeError('A traced value has no numbers yet: write the graph as a model and run that.');
    },
    release: () => {}, // names hold no memory
    scope: (work) => work(),
  };
}
