import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  type AnyKernel,
  DeviceError,
  doubledShape,
  type KernelName,
  kernels,
  mapNamed,
  numpyRandom,
  type OpenedDevice,
  openDevice,
  type Shape,
  sizeOf,
  type Tensor,
  toHalves,
  uniformTensor,
  type WebgpuEngine,
  webgpuEngine,
} from '../src/index.ts';
import { selectSoftwareDriver } from '../test/support/software-gpu.ts';
import { requireAgreement, type Subject, timeOf } from './agreement.ts';
import { type BenchCase, cases, scales } from './cases.ts';
import { copy, exact, FACTORS, multiplyAdd, multiplyAddFlops } from './ceilings.ts';
import { measureOverlap } from './overlap.ts';
import { printCeilings, printHeader, printOverlap, printRow, type Report, type Row } from './report.ts';

// pnpm bench kernels [--software] [--robustness] [--json FILE] [NAME…]: how fast the kernels are on this machine's GPU, and which part that
// is of what the GPU can do. A kernel whose numbers are wrong is not timed: the command ends with 1. Without a GPU it ends
// with 2, unless --software allows an adapter that computes on the CPU, whose sizes are small and whose times mean little.

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    software: { type: 'boolean', default: false },
    robustness: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const block = uniformTensor(numpyRandom(1), [2 ** 20]);
const names = namesFrom(positionals);
const measured = flags.software
  ? { ...scales.software, copied: 2 ** 20, added: 2 ** 14, rounds: 5, batchSeconds: 0.02, read: 2 ** 20, work: 4 }
  : { ...scales.hardware, copied: 2 ** 25, added: 2 ** 22, rounds: 9, batchSeconds: 0.01, read: 2 ** 22, work: 256 };
using opened = await open();
using engine = webgpuEngine(opened.device);
await run(opened, engine);

async function run({ adapter, software, features, limits }: OpenedDevice, engine: WebgpuEngine): Promise<void> {
  const { clock } = engine;
  printHeader({ adapter, software, clock });
  const ceilings = await measureCeilings(engine);
  printCeilings(ceilings);
  const overlap = await measureOverlap(engine, {
    input: numbers([measured.read]),
    rounds: measured.work,
    results: 8,
    repetitions: measured.rounds,
  });
  printOverlap(overlap);
  const rows: Row[] = [];
  for (const name of names) {
    rows.push(await measureKernel(name, { engine, ceilings }));
    printRow(rows[rows.length - 1]);
  }
  if (!flags.json) return;
  const report: Report = { adapter, software, features, limits, clock, ceilings, overlap, rows };
  await writeFile(flags.json, `${JSON.stringify(report, null, 2)}\n`);
}

/** Bytes and floating-point operations per second, each by a program that does nothing else. */
async function measureCeilings(engine: WebgpuEngine): Promise<Report['ceilings']> {
  const copied: Subject = { kernel: copy, inputs: { input: numbers([measured.copied]) }, options: undefined };
  const rounds = 512;
  const added: Subject = {
    kernel: multiplyAdd,
    inputs: { input: exact(numbers([measured.added])), factors: FACTORS },
    options: { rounds },
  };
  await requireAgreement(engine, copied);
  await requireAgreement(engine, added);
  return {
    bytesPerSecond: (8 * measured.copied) / (await seconds(engine, copied)),
    flopsPerSecond: multiplyAddFlops([measured.added], rounds) / (await seconds(engine, added)),
  };
}

interface Bench {
  readonly engine: WebgpuEngine;
  readonly ceilings: Report['ceilings'];
}

async function measureKernel(name: KernelName, { engine, ceilings }: Bench): Promise<Row> {
  const kernel: AnyKernel = kernels[name];
  const { shapes, options, flops = 0, prepare }: BenchCase = cases[name](measured);
  const drawn = mapNamed(kernel.inputs, (input) =>
    kernel.halves?.includes(input) ? toHalves(numbers(doubledShape(shapes[input]))) : numbers(shapes[input]),
  );
  const subject: Subject = { kernel, inputs: prepare?.(drawn) ?? drawn, options };
  const { error, output } = await requireAgreement(engine, subject);
  const time = await seconds(engine, subject);
  const bytes = 4 * [output, ...Object.values(shapes)].reduce((sum, shape) => sum + sizeOf(shape), 0);
  // what the device needs at least: the larger of moving the numbers once and computing with them
  const moving = bytes / ceilings.bytesPerSecond;
  const computing = flops / ceilings.flopsPerSecond;
  return {
    kernel: name,
    shapes,
    output,
    error,
    seconds: time,
    bytesPerSecond: bytes / time,
    flopsPerSecond: flops > 0 ? flops / time : null,
    limit: computing > moving ? 'arithmetic' : 'memory',
    fraction: Math.max(moving, computing) / time,
  };
}

function seconds(engine: WebgpuEngine, subject: Subject): Promise<number> {
  return timeOf(engine, subject, measured);
}

/** Uniform numbers in [−1, 1): a block drawn once, over and over. */
function numbers(shape: Shape): Tensor {
  const data = new Float32Array(sizeOf(shape));
  for (let start = 0; start < data.length; start += block.data.length) {
    data.set(block.data.subarray(0, data.length - start), start);
  }
  return { data, shape };
}

async function open(): Promise<OpenedDevice> {
  try {
    if (flags.software) selectSoftwareDriver();
    // timestamps are rounded to 65 µs unless this is off
    return await openDevice({
      prefer: flags.software ? 'software' : 'hardware',
      robustness: flags.robustness,
      toggles: { disable: ['timestamp_quantization'] },
    });
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    console.error(
      `${error.message}\nTo try the benchmark in software, with small sizes: pnpm bench kernels --software`,
    );
    return process.exit(2);
  }
}

function namesFrom(wanted: readonly string[]): readonly KernelName[] {
  const all = Object.keys(kernels) as KernelName[]; // the registry's own keys
  const unknown = wanted.filter((name) => !Object.hasOwn(kernels, name));
  if (unknown.length === 0) return wanted.length === 0 ? all : all.filter((name) => wanted.includes(name));
  console.error(`There is no kernel ${unknown.join(', ')}. There are: ${all.join(', ')}.`);
  return process.exit(2);
}
