import {
  constantValues,
  type OpenedDevice,
  programOf,
  rows,
  stack,
  type Tensor,
  type VariantPredictor,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { layOutForward } from '../src/classifiers/lay-out.ts';
import type { Graph } from '../src/onnx/graph.ts';
import type { Variant } from './variants.ts';

/**
 * The network alone: forward passes of a batch that is on the device already, laid out as the network reads it. Whatever variants are
 * asked for, it answers with the logits of the image itself.
 *
 * It is swept as a classifier is, so that masked passes differ from it by the masks alone: their upload, the program that makes them,
 * and the checks of numbers. It has weights and memory of its own.
 */
export function residentPasses(
  graph: Graph,
  opened: OpenedDevice,
  { variant, image, batch }: { readonly variant: Variant; readonly image: Tensor; readonly batch: number },
): VariantPredictor & Disposable {
  const engine = webgpuEngine(opened.device);
  const { steps, outputs, inputs } = layOutForward(graph, batch, variant);
  const done = new Set(constantValues(steps));
  // what only moves the images
  for (const { kernel, inputs: read, output } of steps) {
    if (kernel.inputs.every((name: string) => read[name] === inputs[0])) done.add(output);
  }
  const passes = programOf(
    steps.filter(({ output }) => !done.has(output)),
    outputs,
  );
  const before = programOf(steps, passes.needs);
  const images = stack(Array.from({ length: batch }, () => image));
  // all that is needed but the images is a constant
  const given = before.needs.map((value) => engine.upload(value === inputs[0] ? images : value.constant!));
  const residents = before.run(engine, new Map(before.needs.map((value, index) => [value, given[index]])));
  const known = new Map(passes.needs.map((value, index) => [value, residents[index]]));
  engine.release(...given.filter((resident) => !residents.includes(resident)));
  return {
    atOnce: 2, // as the classifier
    async predictVariants({ inputs: asked, rows: varying }) {
      const [logits] = passes.run(engine, known);
      const all = await engine.download(logits).finally(() => engine.release(logits));
      return rows(all, 0, asked[varying].shape[0]);
    },
    [Symbol.dispose]: () => engine.dispose(),
  };
}
