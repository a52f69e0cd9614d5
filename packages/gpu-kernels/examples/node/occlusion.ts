import {
  DeviceError,
  type Engine,
  fillRegions,
  openDevice,
  type Predict,
  referenceEngine,
  sweep,
  tensor,
  variantPredictor,
  webgpuEngine,
  zeros,
} from '@cambium/gpu-kernels';

// Blackens an image of 8×8 tile by tile and watches a classifier's score fall. The variants are made on the engine, a batch
// at a time, so memory is one batch however many steps there are.
//
//     node occlusion.ts [software]

const STEPS = 16; // tiles of 2×2

/** A classifier with one class: the mean of the image's left half. Yours would be a network. */
const predict: Predict = async ({ data, shape: [variants] }) => {
  const means = Array.from({ length: variants }, (_, variant) => {
    const pixels = data.subarray(variant * 64, (variant + 1) * 64);
    return pixels.reduce((sum, value, index) => sum + (index % 8 < 4 ? value / 32 : 0), 0);
  });
  return tensor(means, [variants, 1]);
};

const engine = await openEngine();
const image = tensor(
  Array.from({ length: 64 }, (_, index) => index / 64),
  [1, 1, 8, 8],
);
/** At which step a pixel turns black: tiles from left to right, from top to bottom. */
const ranks = tensor(
  Array.from({ length: 64 }, (_, index) => 1 + Math.floor((index % 8) / 2) + 4 * Math.floor(index / 16)),
  [1, 8, 8],
);
const steps = tensor(
  Array.from({ length: STEPS + 1 }, (_, step) => step),
  [STEPS + 1, 1],
);
const scores = await sweep({
  classifier: variantPredictor(engine, predict),
  kernel: fillRegions,
  inputs: { image, fill: zeros(1, 1, 8, 8), ranks, steps },
  rows: 'steps',
  options: undefined,
  batch: 5,
  onBatch: (done, total) => console.log(`${done} of ${total} variants`),
});
console.log(`scores ${[...scores.data].map((score) => score.toFixed(2)).join(' ')}`);

async function openEngine(): Promise<Engine> {
  try {
    const { device } = await openDevice({ prefer: process.argv[2] === 'software' ? 'software' : 'hardware' });
    return webgpuEngine(device); // both end with the process
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    console.log(error.message);
    return referenceEngine();
  }
}
