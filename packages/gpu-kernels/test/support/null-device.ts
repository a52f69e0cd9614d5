import { create } from 'webgpu';

/** A device of Dawn's null backend, which checks everything, computes nothing and runs on any machine. */
export interface NullDevice {
  readonly device: GPUDevice;
  /** Kept, as long as the device lives. */
  readonly parents: readonly [GPU, GPUAdapter];
}

/** Opens a device of the null backend with the features. */
export async function openNullDevice(features: readonly string[] = []): Promise<NullDevice> {
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const adapter = (await gpu.requestAdapter())!; // the null backend is always there
  // WebGPU's types know only the standard's features
  const device = await adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[] });
  return { device, parents: [gpu, adapter] };
}
