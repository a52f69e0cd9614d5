import {
  type AnyKernel,
  compute,
  mapNamed,
  numpyRandom,
  tensor,
  uniformTensor,
  webgpuEngine,
} from '@cambium/gpu-kernels';
import { describe, expect, test } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { differences, differencesOfHalves, repeated } from '../src/tuning/trial-kernels.ts';

const kernels: readonly AnyKernel[] = [repeated, differences, differencesOfHalves];

describe('what a trial compares', () => {
  const expected = tensor([1, -2, 3, 4, 5, 6, 7, -8], [2, 1, 1, 4]);

  test('is the largest difference of each image, its largest number, and what is not finite', () => {
    const actual = tensor([1, -2, 3.5, 4, 5, Number.NaN, 6.75, Number.NEGATIVE_INFINITY], [2, 1, 1, 4]);
    expect([...compute(differences, { actual, expected }, undefined).data]).toEqual([0.5, 4, 0, 0.25, 8, 2]);
  });

  test('has the same shape', () => {
    const actual = tensor([1, 2, 3, 4], [1, 1, 1, 4]);
    expect(() => compute(differences, { actual, expected }, undefined)).toThrow(
      /images of fours like those expected, 2×1×1×4/,
    );
  });
});

describeGpu('the kernels of a trial', ({ open }) => {
  test.each(kernels.map((kernel) => [kernel.name, kernel] as const))('%s does what its loops do', async (_, kernel) => {
    using opened = await open();
    using engine = webgpuEngine(opened.device);
    for (const [inputs, options] of kernel.samples(numpyRandom(3))) {
      const uploaded = mapNamed(kernel.inputs as readonly string[], (name) => engine.upload(inputs[name]));
      const { data } = await engine.download(engine.run(kernel, uploaded, options));
      expect([...data]).toEqual([...compute(kernel, inputs, options).data]);
    }
  });

  test('moves words as they are, whatever they stand for as numbers', async () => {
    using opened = await open();
    using engine = webgpuEngine(opened.device);
    const bits = Uint32Array.of(0x7fff7fff, 0xff800001, 1);
    const block = engine.upload({ data: new Float32Array(bits.buffer), shape: [3] });
    const starts = engine.upload(tensor([0, 2], [2, 1]));
    const { data } = await engine.download(engine.run(repeated, { block, starts }, { shape: [2, 4] }));
    expect([...new Uint32Array(data.buffer, data.byteOffset, 8)]).toEqual(
      [0, 1, 2, 0, 2, 0, 1, 2].map((at) => bits[at]),
    );
  });

  test('sees one number among many, in any image', async () => {
    using opened = await open();
    using engine = webgpuEngine(opened.device);
    const wanted = uniformTensor(numpyRandom(4), [3, 40, 11, 4]);
    const expected = engine.upload(wanted);
    for (const at of [0, 1759, 1760, 5279]) {
      const changed = { ...wanted, data: wanted.data.slice() };
      changed.data[at] += 0.5;
      const actual = engine.upload(changed);
      const { data } = await engine.download(engine.run(differences, { actual, expected }, undefined));
      const image = Math.floor(at / 1760);
      expect([0, 1, 2].map((each) => data[3 * each] > 0.4)).toEqual([0, 1, 2].map((each) => each === image));
    }
  });
});
