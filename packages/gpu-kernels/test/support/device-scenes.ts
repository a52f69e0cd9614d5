import { registerHooks } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DeviceError,
  filled,
  openDevice,
  positivePart,
  sigmoid,
  tensor,
  type WebgpuEngine,
  webgpuEngine,
} from '../../src/index.ts';
import { findTestGpu } from './software-gpu.ts';

// Scenes of device.test.ts, each played in a process of its own: node device-scenes.ts SCENE. What they print is tested.
const scenes: { readonly [scene: string]: () => Promise<void> } = {
  async collectGarbage() {
    const engine = webgpuEngine((await open()).device); // all else that opening made is unreachable from here
    for (let turn = 0; turn < 20; turn++) {
      globalThis.gc?.();
      await sleep(5);
      await relu(engine);
    }
    console.log(globalThis.gc ? 'alive' : 'started without --expose-gc');
  },

  async reopen() {
    for (let turn = 0; turn < 5; turn++) {
      using opened = await open();
      using engine = webgpuEngine(opened.device);
      await relu(engine);
      globalThis.gc?.();
    }
    globalThis.gc?.();
    await sleep(20);
    console.log('reopened');
  },

  async leaveOpen() {
    console.log(String(await relu(webgpuEngine((await open()).device)))); // nothing is closed
  },

  async dispose() {
    const opened = await open();
    const engine = webgpuEngine(opened.device);
    console.log(String(await relu(engine)));
    engine.dispose();
    opened.close();
  },

  async closePending() {
    await closeWhileDownloading(); // what it opened is unreachable from here
    for (let turn = 0; turn < 20; turn++) {
      globalThis.gc?.();
      await sleep(5);
    }
    console.log(globalThis.gc ? 'closed' : 'started without --expose-gc');
  },

  async withoutPackage() {
    registerHooks({
      resolve(name, context, next) {
        if (name === 'webgpu') throw new Error("Cannot find package 'webgpu'");
        return next(name, context);
      },
    });
    const error = await openDevice().then(
      () => undefined,
      (reason: DeviceError) => reason,
    );
    console.log(JSON.stringify(error?.tried));
  },
};

async function open() {
  const gpu = await findTestGpu();
  if ('missing' in gpu) throw new Error(gpu.missing);
  return gpu.open();
}

async function closeWhileDownloading(): Promise<void> {
  const opened = await open();
  const engine = webgpuEngine(opened.device);
  const points = engine.upload(filled(1, 1 << 20));
  engine.download(engine.run(sigmoid, { input: points }, undefined)).catch(() => {}); // rejects: the device is lost
  opened.close();
}

async function relu(engine: WebgpuEngine): Promise<readonly number[]> {
  const result = engine.scope(() =>
    engine.run(positivePart, { input: engine.upload(tensor([-1, 2], [2])) }, undefined),
  );
  const { data } = await engine.download(result);
  engine.release(result);
  return [...data];
}

await scenes[process.argv[2]]();
