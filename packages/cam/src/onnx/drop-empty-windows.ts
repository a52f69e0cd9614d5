import type { Shape } from '@cambium/gpu-kernels';
import { intOf, intsOf } from './attributes.ts';
import type { GraphNode } from './graph.ts';
import { reach, resolvePads, windowOf } from './shapes/window.ts';

/**
 * The same pooling said without windows that `ceil_mode` adds and that do not count, as they would begin in the padding at the end.
 *
 * ONNX Runtime computes without them as well, but its shape inference counts them, and refuses whatever is then joined with the
 * pooled values. Where no window reaches past the padding `ceil_mode` goes; where another axis needs it the padding at the end
 * shrinks to what the last window reads. A node of which neither can be said stays.
 *
 * @param image shape of its input, N×C×…
 */
export function dropEmptyWindows(node: GraphNode, image: Shape | undefined): GraphNode {
  const { attributes } = node;
  const kernel = intsOf(attributes, 'kernel_shape');
  if (!image || !kernel || intOf(attributes, 'ceil_mode', 0) !== 1) return node;
  const size = image.slice(2);
  const { strides, dilations } = windowOf(attributes, kernel);
  const pads = resolvePads(attributes, size, kernel, strides, dilations);
  const axes = size.map((length, axis) => {
    const last = length + pads[axis] + pads[axis + size.length] - reach(kernel[axis], dilations[axis]);
    const surplus = last % strides[axis]; // of rows behind the last window that fits
    const added = last - surplus + strides[axis]; // where the window begins that is added if there is a surplus
    return { surplus, isDropped: surplus > 0 && added >= length + pads[axis] };
  });
  if (!axes.some(({ isDropped }) => isDropped)) return node;
  const { ceil_mode: _, ...others } = attributes;
  if (axes.every(({ surplus, isDropped }) => isDropped || surplus === 0)) return { ...node, attributes: others };
  const ends = axes.map(({ surplus, isDropped }, axis) => pads[axis + size.length] - (isDropped ? surplus : 0));
  if (ends.some((end) => end < 0)) return node;
  return { ...node, attributes: { ...attributes, pads: { ints: [...pads.slice(0, size.length), ...ends] } } };
}
