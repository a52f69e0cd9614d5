import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openWith, WANTED_FEATURES } from '../src/device.ts';
import { Checks } from '../src/gpu/checks.ts';
import { findGpu } from '../src/gpu/find-gpu.ts';
import { Programs } from '../src/gpu/programs.ts';
import { matrixConvolutions } from '../src/halves/conv2d-matrix.ts';
import {
  type AnyKernel,
  type Attempt,
  conv2dHalfWith,
  conv2dLastWith,
  conv2dWinograd,
  DeviceError,
  tilesFor,
} from '../src/index.ts';

// pnpm bench compiled [--robustness] [--json]: what a Mesa driver makes of the programs for convolutions: instructions, registers,
// what did not fit into them, and how much of a core is in use. It needs no GPU: Mesa's shims (mesa-drm-shim in Debian) let its
// drivers believe in one, and nothing is computed. For an H100 and a Radeon RX 7900:
//
//   LD_PRELOAD=…/libnouveau_noop_drm_shim.so NOUVEAU_CHIPSET=0x180 NVK_I_WANT_A_BROKEN_VULKAN_DRIVER=1 VK_DRIVER_FILES=…/nouveau_icd.json
//   LD_PRELOAD=…/libamdgpu_noop_drm_shim.so AMDGPU_GPU_ID=navi31 VK_DRIVER_FILES=…/radeon_icd.json
//
// These are Mesa's compilers, not the vendors': what they cannot fold the others may.

const { values: flags } = parseArgs({
  options: {
    robustness: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'boolean', default: false }, // compile: the driver's words are read by the process that started this one
  },
});
const MARK = '=====';

/** Compiles every program, with its name before what the driver says of it. */
async function compileAll(): Promise<void> {
  const tried: Attempt[] = [];
  const source = await findGpu(flags, tried);
  const opened = source && (await openWith(source, 'hardware', { features: WANTED_FEATURES, tried }));
  if (!opened) throw new DeviceError('hardware', tried);
  const tiles = tilesFor(opened);
  const programs: readonly AnyKernel[] = [
    ...tiles.map(conv2dLastWith),
    conv2dWinograd,
    ...tiles.map(conv2dHalfWith),
    ...matrixConvolutions(opened),
  ];
  console.error(`${MARK}${opened.adapter.description}`);
  for (const program of programs) {
    console.error(`${MARK}${program.name}`);
    const checks = new Checks(opened.device);
    new Programs(opened.device, checks).of(program, program.name);
    await checks.settle();
  }
  console.error(`${MARK}end`);
  process.exit(); // Dawn keeps the process alive
}

/**
 * How drivers call what is told, NVK first, then RADV. The subgroups that registers leave room for are those of a streaming
 * multiprocessor and of a SIMD, of which a work group processor has four.
 */
const figures: { readonly [name: string]: RegExp } = {
  instructions: /^(?:Instruction count|Instructions): (\d+)/m,
  cycles: /^(?:Static cycle count|Latency): (\d+)/m,
  registers: /^(?:Num GPRs|VGPRs): (\d+)/m,
  spilled: /^(?:Spills to mem|Spilled VGPRs): (\d+)/m,
  subgroups: /^(?:Max warps\/SM|Subgroups per SIMD): (\d+)/m,
};

function report(): void {
  const [before = '', device = '', ...rest] = compiledApart().split(MARK);
  if (!rest.at(-1)?.startsWith('end'))
    throw new Error(`The programs were not compiled:\n${before}${device.slice(-2000)}`);
  const rows = rest.slice(0, -1).map((said) => {
    const told = Object.entries(figures).map(([name, pattern]) => [
      name,
      Number(pattern.exec(said)?.[1] ?? Number.NaN),
    ]);
    return { program: said.split('\n', 1)[0], ...Object.fromEntries(told) };
  });
  if (flags.json) console.log(JSON.stringify({ device: device.trim(), robustness: flags.robustness, rows }, null, 1));
  else {
    console.log(`${device.trim()}, robustness ${flags.robustness ? 'on' : 'off'}`);
    console.table(rows);
  }
}

/** What a process of its own said while it compiled them. A file takes the driver's words as fast as they come; a pipe breaks it. */
function compiledApart(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cambium-compiled-'));
  const said = openSync(join(folder, 'said'), 'w+');
  const self = fileURLToPath(import.meta.url);
  spawnSync(process.execPath, [...process.execArgv, self, '--only', ...(flags.robustness ? ['--robustness'] : [])], {
    stdio: ['ignore', 'ignore', said],
    env: { ...process.env, MESA_SHADER_CACHE_DISABLE: 'true', NAK_DEBUG: 'print', RADV_DEBUG: 'shaderstats' },
  });
  closeSync(said);
  const text = readFileSync(join(folder, 'said'), 'utf8');
  rmSync(folder, { recursive: true });
  return text;
}

if (flags.only) await compileAll();
else report();
