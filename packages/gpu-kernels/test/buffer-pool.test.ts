import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { BufferPool, type PoolOptions } from '../src/buffer-pool.ts';
import type { Outcome } from '../src/gpu/outcome.ts';
import { openNullDevice } from './support/null-device.ts';

const device = await openNullDevice();
afterAll(() => device.destroy());

describe('BufferPool', () => {
  let created: GPUBuffer[];
  let submissions = 0;
  beforeEach(() => {
    created = [];
    submissions = 0;
  });

  /** A pool of real buffers; `outcome` is how making each of them goes. */
  function poolOf(options: Partial<PoolOptions> = {}, outcome: Outcome = Promise.resolve(undefined)): BufferPool {
    return new BufferPool({
      usage: 0x80, // STORAGE
      limit: Number.POSITIVE_INFINITY,
      maxBufferSize: 2 ** 20,
      create: (descriptor) => {
        const buffer = device.createBuffer(descriptor);
        created.push(buffer);
        return { buffer, outcome };
      },
      beforeDestroy: () => submissions++,
      ...options,
    });
  }

  test.each([
    [1, 256],
    [256, 256],
    [257, 288], // eight steps between 256 and 512
    [288, 288],
    [289, 320],
    [511, 512],
    [513, 576],
    [1000, 1024],
    [3 * 224 * 224 * 4, 655_360],
  ])('%i bytes lie in a buffer of %i', (bytes, size) => {
    expect(poolOf().acquire(bytes, 'test')).toMatchObject({ offset: 0, size, buffer: { size } });
  });

  test('no more than an eighth of a larger buffer is wasted', () => {
    for (let bytes = 257; bytes < 5000; bytes += 13) {
      const { size } = poolOf().acquire(bytes, 'test');
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size / bytes).toBeLessThanOrEqual(1.125);
    }
  });

  test('a size is not rounded past the largest buffer of the device', () => {
    const pool = poolOf({ maxBufferSize: 1000 });
    expect(pool.acquire(970, 'test').size).toBe(1000);
  });

  test('buffers are labelled with their purpose', () => {
    expect(poolOf().acquire(4, 'add([2], [2])').buffer.label).toBe('memory for add([2], [2])');
  });

  test('what is given back is used again by its size, the last first', () => {
    const pool = poolOf();
    const [small, other, large] = [pool.acquire(256, 'a'), pool.acquire(200, 'b'), pool.acquire(1024, 'c')];
    pool.release(small);
    pool.release(other);
    pool.release(large);
    expect(pool.acquire(1020, 'd')).toBe(large);
    expect(pool.acquire(10, 'e')).toBe(other);
    expect(pool.acquire(10, 'f')).toBe(small);
    pool.acquire(10, 'g');
    expect(created.length).toBe(4);
  });

  test('bytes are counted as used, pooled and at their peak', () => {
    const pool = poolOf();
    const block = pool.acquire(300, 'a');
    expect(pool.memory()).toEqual({ used: 320, pooled: 0, peak: 320 });
    pool.release(block);
    expect(pool.memory()).toEqual({ used: 0, pooled: 320, peak: 320 });
    pool.acquire(256, 'b'); // another size: the first stays
    expect(pool.memory()).toEqual({ used: 256, pooled: 320, peak: 576 });
    pool.trim();
    expect(pool.memory()).toEqual({ used: 256, pooled: 0, peak: 576 });
  });

  test('a second release, or that of a stranger, changes nothing', () => {
    const pool = poolOf();
    const block = pool.acquire(4, 'a');
    pool.release(block);
    pool.release(block);
    pool.release(poolOf().acquire(4, 'b'));
    expect(pool.memory()).toEqual({ used: 0, pooled: 256, peak: 256 });
    expect(pool.acquire(4, 'c')).toBe(block);
    expect(pool.acquire(4, 'd')).not.toBe(block);
  });

  test('before the limit is passed, what is kept is destroyed, after what is recorded has been submitted', () => {
    const pool = poolOf({ limit: 1024 });
    pool.release(pool.acquire(512, 'a'));
    const held = pool.acquire(768, 'b');
    expect(submissions).toBe(1);
    expect(pool.memory()).toEqual({ used: 768, pooled: 0, peak: 768 });
    expect(() => pool.acquire(257, 'c')).toThrow(
      'c needs 288 bytes more than the 768 in use, and the memory limit is 1024 bytes. Use smaller batches, release residents, or raise the limit.',
    );
    expect(pool.acquire(256, 'd').size).toBe(256); // exactly the limit
    pool.release(held);
    expect(pool.acquire(768, 'e')).toBe(held); // one that is kept needs nothing more
  });

  test('a buffer that could not be made is not used again, whenever that is known', async () => {
    const failed = Promise.resolve(new Error('out of memory'));
    const early = poolOf({}, failed);
    const given = early.acquire(4, 'a');
    early.release(given); // before the news
    await failed;
    expect(early.memory()).toEqual({ used: 0, pooled: 0, peak: 256 });
    expect(early.acquire(4, 'b')).not.toBe(given);

    const late = poolOf({}, failed);
    const held = late.acquire(4, 'c');
    await failed;
    expect(late.memory().used).toBe(256);
    late.release(held); // after the news
    expect(late.memory()).toEqual({ used: 0, pooled: 0, peak: 256 });
    expect(late.acquire(4, 'd')).not.toBe(held);
  });

  test('disposal destroys what is held and what is kept', async () => {
    const pool = poolOf();
    pool.acquire(4, 'a');
    pool.release(pool.acquire(1000, 'b'));
    pool.dispose();
    expect(pool.memory()).toMatchObject({ used: 0, pooled: 0 });
    for (const buffer of created) expect(await isDestroyed(buffer)).toBe(true);
    expect(await isDestroyed(device.createBuffer({ size: 256, usage: 0x80 }))).toBe(false);
  });
});

/** Whether the device refuses to use a buffer in a submission, as it does after its destruction. */
async function isDestroyed(buffer: GPUBuffer): Promise<boolean> {
  device.pushErrorScope('validation');
  const layout = device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: 4, buffer: { type: 'storage' } }],
  });
  const module = device.createShaderModule({
    code: '@group(0) @binding(0) var<storage, read_write> x: array<f32>; @compute @workgroup_size(1) fn main() { x[0] = 1; }',
  });
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module },
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  return (await device.popErrorScope()) !== null;
}
