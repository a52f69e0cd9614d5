import { expect, test } from 'vitest';
import { describeGpu } from '../../gpu-kernels/test/support/describe-gpu.ts';
import { doctorCommand } from '../src/commands/doctor.ts';
import { openUi } from '../src/ui.ts';
import { root, temporaryFolder } from './support/run-cambium.ts';
import { runHere } from './support/run-here.ts';

describeGpu('doctor with a GPU', () => {
  test('names the adapter, its limits and how well it agrees with the CPU', async () => {
    const flag = process.env.CAMBIUM_TEST_GPU === 'hardware' ? [] : ['--software'];
    const { code, output } = await runHere('doctor', ...flag);
    expect(output).toMatch(/^✔ GPU: .+; 6 kernels agree with the CPU, .+ at most \d\.\de-\d+ .+ features: /m);
    expect(code).toBe(0);
  });
});

test('doctor looks at each part, and where there is no GPU tells what was tried', async () => {
  const { code, output } = await runHere('doctor');
  for (const part of ['Node.js', 'ONNX Runtime', 'images', 'font', 'embedded model', 'self test']) {
    expect(output).toMatch(new RegExp(`^✔ ${part}: `, 'm'));
  }
  expect(output).toMatch(
    /^✔ GPU: (none, so the CPU computes: .*(no adapter|no graphics device|software)|.*kernels agree)/m,
  );
  expect(code).toBe(0);
});

test('what is broken is told with its remedy, and the rest is looked at all the same', async () => {
  let output = '';
  const stream = { write: (text: string) => (output += text) };
  const ui = openUi({ output: stream, errors: stream, environment: { NO_COLOR: '1' }, clock: () => 0 });
  const surroundings = { ui, root, models: temporaryFolder(), began: 0, signal: new AbortController().signal };
  expect(await doctorCommand({}, surroundings)).toBe(false);
  expect(output).toMatch(/^✖ embedded model: .+ → restore models\/ and test-fixtures\/ from the repository/m);
  expect(output).toMatch(/^– self test: left out, it needs what embedded model lacks$/m);
  expect(output).toMatch(/^✔ font: /m);
});
