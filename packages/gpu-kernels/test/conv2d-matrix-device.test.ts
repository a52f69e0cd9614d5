import { expect, test } from 'vitest';
import { GpuEngine } from '../src/gpu/gpu-engine.ts';
import { matrixConvolution } from '../src/halves/conv2d-matrix.ts';
import {
  type AnyKernel,
  halfError,
  type MatrixConvolution,
  type MatrixUnit,
  matrixConvolutions,
  numpyRandom,
  type OpenedDevice,
} from '../src/index.ts';
import { errorOf, referenceOf } from './support/agreement.ts';
import { describeGpu } from './support/describe-gpu.ts';
import { GuardedMemory } from './support/guarded-memory.ts';

/** What the device's subgroups multiply: programs for it, or small ones for a shape that no program is made for (lavapipe's 8×8×8). */
function programsOf(opened: OpenedDevice): readonly MatrixConvolution[] {
  const own = matrixConvolutions(opened);
  const listed = opened.subgroups.matrices.find(
    (each) => each.componentType === 'f16' && each.resultComponentType === 'f32',
  );
  if (own.length > 0 || !listed) return own;
  const unit: MatrixUnit = { component: 'f16', M: listed.M, N: listed.N, K: listed.K };
  const size = { lanes: opened.subgroups.largest, held: false };
  return ([8, 4] as const).map((chunk) =>
    matrixConvolution(unit, { pixels: 2 * unit.M, channels: 2 * unit.N, across: 2, down: 2, deep: 32, chunk }, size),
  );
}

describeGpu('convolutions by the subgroup matrices of the device', ({ open }) => {
  test('compute what the reference loops do', { timeout: 300_000 }, async (context) => {
    using opened = await open({ robustness: false }); // indices past the end of a tensor reach the guards
    const programs = programsOf(opened);
    if (programs.length === 0) context.skip('its subgroups multiply no matrices');
    const memory = new GuardedMemory(opened.device);
    using engine = new GpuEngine(opened.device, {}, memory);
    for (const program of programs as readonly (MatrixConvolution & AnyKernel)[]) {
      for (const [inputs, options] of program.samples(numpyRandom(6))) {
        const uploaded = Object.fromEntries(program.inputs.map((name) => [name, engine.upload(inputs[name])]));
        const actual = await engine.download(engine.run(program, uploaded, options));
        expect(errorOf(program, actual, referenceOf(program, inputs, options))).toBeLessThan(program.tolerance!);
      }
      expect(await halfError(engine, program)).toBeLessThan(1e-6);
      expect(await memory.overruns()).toBe(0);
    }
  });
});
