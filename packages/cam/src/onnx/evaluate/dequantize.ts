import { sizeOf } from '@cambium/gpu-kernels';
import { intOf } from '../attributes.ts';
import type { Evaluation } from './element-wise.ts';

/**
 * DequantizeLinear of stored weights: (x − zero point) · scale in float32, as ONNX Runtime computes it.
 *
 * Scale and zero point are single numbers or one for each index of `axis` (default 1). Blocked scales (opset 21) are
 * left to the runtime.
 */
export const dequantize: Evaluation = ([input, scales, zeroPoints], shape, node) => {
  const axis = intOf(node.attributes, 'axis', 1);
  const at = axis < 0 ? axis + shape.length : axis;
  const groups = scales.data.length;
  const perTensor = groups === 1;
  const blocked = intOf(node.attributes, 'block_size', 0) > 0 || scales.shape.length > 1;
  if (blocked || (!perTensor && groups !== shape[at])) return undefined;
  if (zeroPoints && zeroPoints.data.length !== groups) return undefined;
  const inner = perTensor ? sizeOf(shape) : sizeOf(shape.slice(at + 1));
  const data = new Float32Array(sizeOf(shape));
  for (let start = 0, block = 0; start < data.length; start += inner, block++) {
    const scale = scales.data[block % groups];
    const zeroPoint = zeroPoints ? zeroPoints.data[block % groups] : 0;
    for (let index = start; index < start + inner; index++) data[index] = (input.data[index] - zeroPoint) * scale;
  }
  return { type: 'float32', shape, data };
};
