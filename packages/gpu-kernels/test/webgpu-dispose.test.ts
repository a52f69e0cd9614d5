import { expect, test } from 'vitest';
import { numpyRandom, positivePart, uniformTensor, webgpuEngine } from '../src/index.ts';
import { openNullDevice } from './support/null-device.ts';

test('disposal destroys every buffer that the engine made: of tensors, of downloads and of uniforms', async () => {
  const device = await openNullDevice();
  const alive = new Map<GPUBuffer, string>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive.set(buffer, String(descriptor.label));
    buffer.destroy = () => {
      alive.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  const engine = webgpuEngine(device);
  const inputs = [3, 500].map((length) => engine.upload(uniformTensor(numpyRandom(1), [length])));
  const results = inputs.map((input) => engine.run(positivePart, { input }, undefined));
  await Promise.all(results.map((result) => engine.download(result)));
  engine.release(results[0]); // some memory is held, some kept for reuse
  expect(new Set([...alive.values()].map((label) => label.split(' ')[0])).size).toBeGreaterThan(1);
  engine.dispose();
  expect([...alive.values()]).toEqual([]);
  device.destroy();
});
