import { maskImages, numpyRandom, type Tensor, tensor, uniformTensor, type VariantBatch } from '@cambium/gpu-kernels';

// What ONNX Runtime 1.30 gave in float32 on a CPU for the embedded model, so that a machine without it can check its numbers
// before it times them. `webgpu-bench.test.ts` holds the record to ONNX Runtime.

/** 1×3×224×224, the same everywhere. */
export const image: Tensor = uniformTensor(numpyRandom(1), [1, 3, 224, 224], -2, 2);

/** Variants of the image under masks made of `count` maps of 7×7; of more, the first are the same. */
export function masked(count: number): VariantBatch<'image' | 'activations', never, MaskOptions> {
  const activations = uniformTensor(numpyRandom(2), [count, 7, 7]);
  const options = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 } as const;
  // uniforms are the kernel's own business
  return { kernel: maskImages, inputs: { image, activations }, rows: 'activations', options } as never;
}

type MaskOptions = Parameters<typeof maskImages.plan>[1];

/** Logits of the image. */
export const recordedLogits: Tensor = tensor(
  [-0.69304, -0.497962, 4.830919, 0.131197, -0.952403, 0.208527, -0.208115, -2.61504, -0.731308, 0.555207],
  [1, 10],
);

/** Logits under the first four masks. */
export const recordedMasked: Tensor = tensor(
  [
    [-0.158229, -0.190401, 5.08712, -0.262342, -1.332095, -0.189052, -0.836197, -0.868051, -0.966447, -0.22782],
    [-0.149648, -0.233705, 5.066766, -0.237966, -1.298326, -0.273504, -0.745572, -0.93619, -0.974817, -0.185458],
    [-0.148584, -0.242484, 4.963577, -0.216081, -1.251566, -0.23136, -0.779922, -0.936244, -0.971404, -0.138864],
    [-0.095909, -0.24199, 4.907361, -0.295917, -1.217948, -0.226538, -0.731377, -0.877144, -1.002299, -0.181042],
  ].flat(),
  [4, 10],
);

/** Largest difference in units of the largest number of what is expected. */
export function differenceOf(actual: Tensor, expected: Tensor): number {
  const scale = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.data.reduce((most, value, index) => Math.max(most, Math.abs(actual.data[index] - value)), 0) / scale;
}
