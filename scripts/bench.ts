import { spawnSync } from 'node:child_process';

// pnpm bench NAME: runs one benchmark in a process of its own, with a collector to call between measurements.
const benches: { readonly [name: string]: string } = {
  cam: 'packages/cam/bench/cam.ts',
  kernels: 'packages/gpu-kernels/bench/kernels.ts',
  compiled: 'packages/gpu-kernels/bench/compiled.ts',
  webgpu: 'packages/cam/bench/webgpu.ts',
  metrics: 'packages/metrics/bench/metrics.ts',
  record: 'packages/cam/bench/record.ts',
  table: 'bench/results/table.ts',
};

const [name = '', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(benches, name)) {
  console.error(`Usage: pnpm bench ${Object.keys(benches).join(' | ')}`);
  process.exit(2);
}
const { status } = spawnSync(process.execPath, ['--conditions=source', '--expose-gc', benches[name], ...rest], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
