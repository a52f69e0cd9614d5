import type { Graph, GraphNode } from '../onnx/graph.ts';
import type { ModelFamily } from './family.ts';

/**
 * Residual networks of four stages: ResNet-18 to 152, Wide ResNet, ResNeXt. `layer1` to `layer4` are the outputs of the
 * last block of each stage, after the addition and its ReLU.
 *
 * Recognised by structure, not by names: every ReLU of a sum is a block's output; blocks of equal shape form a stage; each
 * stage halves height and width.
 */
export const resnet: ModelFamily = {
  name: 'resnet',
  recognise: (graph) => stages(graph).length === 4 && halving(stages(graph), graph),
  layers: (graph) => Object.fromEntries(stages(graph).map((value, index) => [`layer${index + 1}`, value])),
};

/** The last block output of each spatial size, in order. */
function stages(graph: Graph): string[] {
  const producers = new Map<string, GraphNode>(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node])),
  );
  const lastOfSize = new Map<string, string>();
  for (const node of graph.nodes) {
    if (node.op !== 'Relu' || producers.get(node.inputs[0])?.op !== 'Add') continue;
    const shape = graph.shapes.get(node.outputs[0]);
    if (shape?.length === 4) lastOfSize.set(shape.slice(1).join(), node.outputs[0]);
  }
  return [...lastOfSize.values()];
}

function halving(values: readonly string[], graph: Graph): boolean {
  const heights = values.map((value) => graph.shapes.get(value)?.[2] ?? 0);
  return heights.every((height, index) => index === 0 || height === Math.ceil(heights[index - 1] / 2));
}
