import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { create } from 'webgpu';
import { DeviceError, openDevice } from '../src/index.ts';
import { describeGpu } from './support/describe-gpu.ts';

const native = create([]); // as openDevice has its own; kept, for Dawn uses it as long as a device lives

/** Limits that WebGPU promises of every device, among them those that this package asks for. */
const DEFAULTS = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupsPerDimension: 65_535,
};

describe('openDevice', () => {
  test('a missing package is said as data, not as a crash', async () => {
    expect(JSON.parse(await play('withoutPackage'))).toEqual([
      { adapter: 'navigator.gpu', reason: 'this runtime has none' },
      {
        adapter: 'the package webgpu',
        reason: "Cannot find package 'webgpu'; install it with: npm install webgpu",
      },
    ]);
  });

  test('a system without adapters is said as data', async () => {
    const none = create(['backend=null', 'adapter=no adapter has this name']);
    const error: unknown = await openDevice({ gpu: none }).catch((reason) => reason);
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as DeviceError).tried).toEqual([
      { adapter: 'the system', reason: expect.stringMatching(/^offers no adapter: no adapter with backend 'null'/) },
    ]);
  });

  test('half precision that computes wrongly is left out, and why is told', async () => {
    using opened = await openDevice({ gpu: create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']) });
    expect(opened.features).not.toContain('shader-f16'); // the null backend computes nothing
    expect(opened.features).toContain('subgroups');
    expect(opened.tried).toEqual([
      { adapter: 'null-backend', reason: 'half precision (shader-f16) computes wrong results' },
    ]);
  });

  test('matrices of subgroups are left out where nobody can say how large subgroups are, and why is told', async () => {
    const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    const matrices = 'chromium-experimental-subgroup-matrix';
    using opened = await openDevice({ gpu, features: ['subgroups', matrices] });
    expect(opened.features).toEqual(['core-features-and-limits', 'subgroups']);
    expect(opened.tried).toEqual([
      { adapter: 'null-backend', reason: expect.stringMatching(/^its subgroups have 4 to 128 invocations/) },
    ]);
  });

  test('an adapter that refuses its own limits gives a device with WebGPU’s, and why is told', async () => {
    const dawn = create(['backend=null']);
    const asked: (GPUDeviceDescriptor | undefined)[] = [];
    const strict = {
      async requestAdapter(options?: GPURequestAdapterOptions) {
        const adapter = await dawn.requestAdapter(options);
        return new Proxy(adapter!, {
          get(target, name) {
            if (name !== 'requestDevice') {
              const value = Reflect.get(target, name, target);
              return typeof value === 'function' ? value.bind(target) : value;
            }
            return (descriptor?: GPUDeviceDescriptor) => {
              asked.push(descriptor);
              if (descriptor?.requiredLimits) throw new Error('too much to ask');
              return target.requestDevice(descriptor);
            };
          },
        });
      },
    } as GPU; // all that openDevice asks of it
    using opened = await openDevice({ gpu: strict });
    expect(asked).toHaveLength(2);
    expect(opened.tried).toEqual([
      { adapter: 'null-backend', reason: 'refused a device with all its limits: too much to ask' },
    ]);
    expect(opened.limits.maxStorageBufferBindingSize).toBe(DEFAULTS.maxStorageBufferBindingSize);
  });

  test('whoever gives a gpu says whether it checks indices', async () => {
    const gpu = create(['backend=null', 'enable-dawn-features=disable_robustness']);
    using told = await openDevice({ gpu, robustness: false });
    using untold = await openDevice({ gpu });
    expect([told.robustness, untold.robustness]).toEqual([false, true]);
  });

  test('features that an adapter lacks are not asked for', async () => {
    using opened = await openDevice({ gpu: create(['backend=null']), features: ['subgroups', 'no-such-feature'] });
    expect(opened.features).toContain('subgroups');
    expect(opened.features).not.toContain('timestamp-query');
  });
});

describeGpu('openDevice on a GPU', ({ open }) => {
  test('checks indices unless it is told not to', async () => {
    using checked = await open();
    using unchecked = await open({ robustness: false });
    expect([checked.robustness, unchecked.robustness]).toEqual([true, false]);
  });

  test('what toggles say of robustness comes last', async () => {
    const toggles = ['disable_robustness'];
    using unchecked = await open({ toggles: { enable: toggles } });
    using checked = await open({ robustness: false, toggles: { disable: toggles } });
    expect([unchecked.robustness, checked.robustness]).toEqual([false, true]);
  });

  test('describes what was opened', async () => {
    using opened = await open();
    expect(opened.features).toEqual([...opened.device.features].sort());
    expect(`${opened.adapter.description}${opened.adapter.device}`).not.toBe('');
  });

  test('a device has every limit that its adapter has, not WebGPU’s defaults', async () => {
    using opened = await open();
    const fallback = opened.software && (await native.requestAdapter({ forceFallbackAdapter: true }));
    const adapter = fallback || (await native.requestAdapter({ powerPreference: 'high-performance' }));
    const limits = adapter!.limits; // a device was just opened on it
    const names = Object.keys(opened.limits) as (keyof GPUSupportedLimits)[];
    for (const name of names) expect([name, opened.limits[name]]).toEqual([name, limits[name]]);
    for (const [name, least] of Object.entries(DEFAULTS)) {
      expect(opened.limits[name], name).toBeGreaterThanOrEqual(least);
      expect(opened.device.limits[name as keyof GPUSupportedLimits], name).toBe(opened.limits[name]);
    }
    // what a device gets that asks for nothing: the test could not tell otherwise
    const plain = await adapter!.requestDevice();
    expect(names.some((name) => plain.limits[name] !== limits[name])).toBe(true);
    plain.destroy();
  });

  test('a software adapter is never opened unless asked for, and named as what was there', async () => {
    using opened = await open();
    if (!opened.software) return; // a machine whose own GPU is tested
    const error: DeviceError = await openDevice().then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(DeviceError);
    expect(error.tried).toEqual([
      {
        adapter: opened.adapter.description,
        reason: 'is a software adapter, which is opened only with prefer: "software"',
      },
    ]);
    expect(error.message).toMatch(/^openDevice found no hardware adapter. Tried .* software adapter/);
  });

  test('a device outlives the garbage collection of everything that opened it', async () => {
    expect(await play('collectGarbage', '--expose-gc')).toBe('alive');
  });

  test('a device can be closed while a download is under way', async () => {
    expect(await play('closePending', '--expose-gc')).toBe('closed');
  });

  test('devices can be closed and opened again', async () => {
    expect(await play('reopen', '--expose-gc')).toBe('reopened');
  });

  test.each(['leaveOpen', 'dispose'])('the process ends by itself: %s', async (scene) => {
    expect(await play(scene)).toBe('0,2');
  });
});

/** Plays a scene of support/device-scenes.ts in a process of its own and returns what it printed. */
async function play(scene: string, ...flags: string[]): Promise<string> {
  const script = fileURLToPath(new URL('support/device-scenes.ts', import.meta.url));
  const parameters = ['--conditions=source', ...flags, script, scene];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { timeout: 30_000 });
  return stdout.trim();
}
