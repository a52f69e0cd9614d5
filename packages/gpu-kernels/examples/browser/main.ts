import {
  compute,
  DeviceError,
  type MaskOptions,
  maskImages,
  type OpenedDevice,
  openDevice,
  rows,
  type Tensor,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { drawImage, drawMap, sampleImage, sampleMaps } from './pictures.ts';

// Opens a GPU, runs a kernel on it and in the reference loops, and shows both with the largest difference.
// Served by Vite: npx vite packages/gpu-kernels/examples/browser

const OPTIONS: MaskOptions = { resize: 'half-pixel', normalise: 'after-resize', epsilon: 0 };

const prefer = new URLSearchParams(location.search).get('prefer') === 'software' ? 'software' : 'hardware';
try {
  const opened = await openDevice({ prefer });
  await show(opened);
  opened.close();
} catch (error) {
  explain(error);
}

async function show(opened: OpenedDevice): Promise<void> {
  const image = sampleImage(224);
  const maps = sampleMaps(7);
  const gpu = await maskOnGpu(opened.device, image, maps);
  const loops = maskInLoops(image, maps);
  const difference = largestDifference(gpu.masked, loops.masked);

  say(difference < 1e-5 ? 'The GPU and the plain loops agree.' : 'The GPU and the plain loops disagree.');
  const { vendor, architecture, description } = opened.adapter;
  fact('adapter', `${description || `${vendor} ${architecture}`}${opened.software ? ' (software)' : ''}`);
  fact('largest difference', difference.toExponential(1));
  fact('on the GPU', `${gpu.milliseconds.toFixed(1)} ms, with upload and download`);
  fact('in plain loops', `${loops.milliseconds.toFixed(1)} ms`);
  picture('the image', drawImage(image));
  for (let channel = 0; channel < maps.shape[0]; channel++) {
    picture(`map ${channel + 1}, 7×7`, drawMap(rows(maps, channel, channel + 1)));
    picture(`seen through map ${channel + 1}, GPU`, drawImage(rows(gpu.masked, channel, channel + 1)));
    picture(`seen through map ${channel + 1}, loops`, drawImage(rows(loops.masked, channel, channel + 1)));
  }
}

interface Timed {
  readonly masked: Tensor;
  readonly milliseconds: number;
}

/** Runs twice and times the second, for the first compiles the program. */
async function maskOnGpu(device: GPUDevice, image: Tensor, maps: Tensor): Promise<Timed> {
  const engine = webgpuEngine(device);
  const run = () => {
    const masked = engine.scope(() => {
      const inputs = { image: engine.upload(image), activations: engine.upload(maps) };
      return engine.run(maskImages, inputs, OPTIONS);
    });
    return engine.download(masked);
  };
  await run();
  const start = performance.now();
  const masked = await run();
  const milliseconds = performance.now() - start;
  engine.dispose();
  return { masked, milliseconds };
}

function maskInLoops(image: Tensor, maps: Tensor): Timed {
  const start = performance.now();
  const masked = compute(maskImages, { image, activations: maps }, OPTIONS);
  return { masked, milliseconds: performance.now() - start };
}

function largestDifference(left: Tensor, right: Tensor): number {
  return left.data.reduce((largest, value, index) => Math.max(largest, Math.abs(value - right.data[index])), 0);
}

/** A browser without a GPU is no failure of the page: it says what was tried and what to do. */
function explain(error: unknown): void {
  if (!(error instanceof DeviceError)) {
    say(`The example failed: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
  if (!('gpu' in navigator)) {
    say(
      'This browser gives the page no WebGPU.\nUse a current Chrome, Edge, Safari or Firefox, over https or on localhost.',
    );
    return;
  }
  const reasons = error.tried.map(({ adapter, reason }) => `${adapter}: ${reason}`).join('\n');
  say(`This browser offers no ${prefer} GPU to the page.\n${reasons}\nLook for WebGPU and graphics in its settings.`);
  byId('software').hidden = prefer === 'software';
}

function say(text: string): void {
  byId('message').textContent = text;
}

function fact(name: string, value: string): void {
  const term = document.createElement('dt');
  term.textContent = name;
  const description = document.createElement('dd');
  description.textContent = value;
  byId('facts').append(term, description);
}

function picture(caption: string, canvas: HTMLCanvasElement): void {
  const figure = document.createElement('figure');
  const text = document.createElement('figcaption');
  text.textContent = caption;
  figure.append(canvas, text);
  byId('pictures').append(figure);
}

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element with the id ${id}.`);
  return element;
}
