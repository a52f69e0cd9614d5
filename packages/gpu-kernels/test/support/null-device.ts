import { create } from 'webgpu';

/** A device of Dawn's null backend, which checks everything, computes nothing and runs on any machine. */
export interface NullDevice {
  readonly device: GPUDevice;
  /** Kept, as long as the device lives. */
  readonly parents: readonly [GPU, GPUAdapter];
}

/** Opens a device of the null backend with the features. */
export async function openNullDevice(features: readonly GPUFeatureName[] = []): Promise<NullDevice> {
  const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const adapter = (await gpu.requestAdapter())!; // the null backend is always there
  const device = await adapter.requestDevice({ requiredFeatures: [...features] });
  return { device, parents: [gpu, adapter] };
}
