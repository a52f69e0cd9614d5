import {
  DeviceError,
  type Engine,
  minMax,
  openDevice,
  referenceEngine,
  tensor,
  upsampleBilinear,
  webgpuEngine,
} from '@cambium/gpu-kernels';

// Enlarges a map of 2×2 to 4×4 and stretches it to [0, 1]: on the GPU, or in plain loops where there is none.
//
//     node upsample.ts             opens a hardware GPU or says why it does not
//     node upsample.ts software    accepts an adapter that computes on the CPU

const prefer = process.argv[2] === 'software' ? 'software' : 'hardware';
try {
  const opened = await openDevice({ prefer });
  console.log(`On ${opened.adapter.description || opened.adapter.vendor}${opened.software ? ', in software' : ''}`);
  const engine = webgpuEngine(opened.device);
  await printEnlarged(engine);
  engine.dispose();
  opened.close();
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  for (const { adapter, reason } of error.tried) console.log(`Not on ${adapter}: ${reason}`);
  console.log('In plain loops');
  await printEnlarged(referenceEngine());
}

/** The same program on either engine. What the scope does not return is freed at its end. */
async function printEnlarged(engine: Engine): Promise<void> {
  const enlarged = engine.scope(() => {
    const map = engine.upload(tensor([1, 3, 5, 9], [1, 2, 2]));
    const resized = engine.run(upsampleBilinear, { input: map }, { size: [4, 4], convention: 'half-pixel' });
    return engine.run(minMax, { input: resized }, { epsilon: 0 });
  });
  const { data, shape } = await engine.download(enlarged);
  for (let row = 0; row < shape[1]; row++) {
    const values = data.subarray(row * shape[2], (row + 1) * shape[2]);
    console.log([...values].map((value) => value.toFixed(4)).join('  '));
  }
}
