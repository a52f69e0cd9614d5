import { expect, test } from 'vitest';
import { matrixConvolution, matrixConvolutions, type SubgroupMatrix } from '../src/halves/conv2d-matrix.ts';
import type { MatrixConvolution, MatrixUnit, OpenedDevice } from '../src/index.ts';
import { describeGpu } from './support/describe-gpu.ts';
import { expectGuardedAgreement } from './support/guarded-agreement.ts';

/** The device's matrices of halves with sums in float32. */
function listedBy({ subgroups }: OpenedDevice): SubgroupMatrix | undefined {
  return subgroups.matrices.find((each) => each.componentType === 'f16' && each.resultComponentType === 'f32');
}

/** What the device's subgroups multiply: programs for it, or small ones for a shape that no program is made for (lavapipe's 8×8×8). */
function programsOf(opened: OpenedDevice): readonly MatrixConvolution[] {
  const own = matrixConvolutions(opened);
  const listed = listedBy(opened);
  if (own.length > 0 || !listed) return own;
  const unit: MatrixUnit = { component: 'f16', M: listed.M, N: listed.N, K: listed.K };
  const { smallest, largest } = opened.subgroups;
  const size = { lanes: largest, held: smallest !== largest };
  return ([8, 4] as const).map((chunk) =>
    matrixConvolution(unit, { pixels: 2 * unit.M, channels: 2 * unit.N, across: 2, down: 2, deep: 32, chunk }, size),
  );
}

describeGpu('convolutions by the subgroup matrices of the device', ({ open }) => {
  test('compute what the reference loops do; without matrices there are none', { timeout: 300_000 }, async () => {
    using opened = await open({ robustness: false }); // indices past the end of a tensor reach the guards
    const programs = programsOf(opened);
    if (!listedBy(opened))
      expect(programs.filter(({ unit }) => unit.component === 'f16')).toEqual([]); // SwiftShader
    else expect(programs).not.toEqual([]);
    for (const program of programs) await expectGuardedAgreement(opened.device, program);
  });
});
