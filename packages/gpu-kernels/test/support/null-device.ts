import { create } from 'webgpu';
import { type OpenedDevice, openDevice } from '../../src/index.ts';

// Dawn uses what create() returned as long as a device lives, and longer: it is never let go of
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);

/**
 * Opens a device of Dawn's null backend, which checks everything, computes nothing and runs on any machine. Whoever opens it
 * destroys it.
 */
export async function openNullDevice(features: readonly string[] = []): Promise<GPUDevice> {
  const adapter = (await gpu.requestAdapter())!; // the null backend is always there
  // WebGPU's types know only the standard's features
  return adapter.requestDevice({ requiredFeatures: features as GPUFeatureName[] });
}

/**
 * The same, opened as any device is. It has room for 512 MiB, and buffers begin as zeros: what is read back is what was written
 * last, or memory as it was, which may hold numbers that are not finite.
 */
export async function openNull(): Promise<OpenedDevice> {
  const opened = await openDevice({ gpu });
  const createBuffer = opened.device.createBuffer.bind(opened.device);
  opened.device.createBuffer = (descriptor) => {
    const buffer = createBuffer({ ...descriptor, mappedAtCreation: true });
    if (descriptor.mappedAtCreation) return buffer; // who asked for it writes it
    new Uint8Array(buffer.getMappedRange()).fill(0);
    buffer.unmap();
    return buffer;
  };
  return opened;
}
