import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { numpyRandom, openDevice, uniformTensor } from '@cambium/gpu-kernels';
import { selectSoftwareDriver } from '../../gpu-kernels/test/support/software-gpu.ts';
import {
  calibrate,
  hybridClassifier,
  int8Classifier,
  ortClassifier,
  readModel,
  webgpuClassifier,
} from '../src/index.ts';
import type { Classifier } from '../src/types.ts';
import { measureFlatness } from './flat.ts';
import { hostTimes } from './host.ts';
import { describeMachine } from './machine.ts';
import { type Measure, measureForm } from './measure-form.ts';

// pnpm bench record --json bench/results/NAME/record.json [--only cpu,software,host,flat] [--maps 200] [--software-channels 32]: every
// way to compute the embedded network that this machine has, measured and kept with what the numbers depend on
// (bench/results/README.md). A GPU is measured by bench/gpu.sh. Nothing is estimated: what is not here is not in the file.

const PARTS = ['cpu', 'software', 'host', 'flat'] as const;
const { values: flags } = parseArgs({
  options: {
    json: { type: 'string' },
    only: { type: 'string', default: PARTS.join() },
    maps: { type: 'string', default: '200' },
    'software-channels': { type: 'string' },
    model: { type: 'string', default: 'models/resnet50-textures10.onnx' },
  },
});
const parts = flags.only.split(',');
const unknown = parts.filter((part) => !PARTS.some((known) => known === part));
if (unknown.length > 0) {
  console.error(`--only takes ${PARTS.join(', ')}, got "${unknown.join()}".`);
  process.exit(2);
}
const graph = readModel(await readFile(flags.model));
const file = {
  schema: 'cambium-record/1',
  made: new Date().toISOString(),
  machine: describeMachine(),
  rows: [] as object[],
};

if (parts.includes('cpu')) await measureRuntime();
if (parts.includes('host')) await measureHost();
if (parts.includes('flat')) await measureMany();
if (parts.includes('software')) await measureSoftware();
process.exit(); // Dawn's null backend keeps the process alive

async function measureRuntime(): Promise<void> {
  const cpu = { batch: 16, channels: 256, rounds: 5 };
  await measured(ortClassifier(graph), { what: 'ONNX Runtime, CPU', ...cpu, allowed: 1e-5 });
  const ranges = await calibrate(graph, [uniformTensor(numpyRandom(5), [16, 3, 224, 224], -2, 2)]);
  await measured(int8Classifier(graph, ranges), { what: 'ONNX Runtime, CPU', ...cpu, allowed: 0.2 });
}

async function measureSoftware(): Promise<void> {
  try {
    selectSoftwareDriver();
    using opened = await openDevice({ prefer: 'software', robustness: false });
    const adapter = `${opened.adapter.description || opened.adapter.device} (software)`;
    const hybrid = hybridClassifier(ortClassifier(graph, { thread: 'caller' }), opened, { maxBatch: 16 });
    const divided = { batch: 16, channels: 256, rounds: 5, allowed: 1e-5 };
    await measured(hybrid, { what: `ONNX Runtime, CPU, with kernels on ${adapter}`, ...divided });
    const { 'software-channels': asked } = flags;
    const channels = asked === undefined ? null : Number(asked); // minutes for 32
    for (const precision of ['f32', 'f16'] as const) {
      const classifier = webgpuClassifier(graph, opened, { precision, maxBatch: 1 });
      const allowed = precision === 'f32' ? 1e-3 : 2e-2;
      const what = `webgpuClassifier on ${adapter}`;
      const memory = () => classifier.memory().peak;
      await measured(classifier, { what, batch: 1, channels, rounds: 3, allowed, memory });
    }
  } catch (error) {
    console.error(`no software adapter was measured: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

async function measured(classifier: Classifier, measure: Measure): Promise<void> {
  await using own = classifier;
  await add({ kind: 'form', ...(await measureForm(own, measure)) });
}

async function measureHost(): Promise<void> {
  for (const precision of ['f32', 'f16'] as const) {
    await add({ kind: 'host', what: 'host beside a GPU', precision, ...(await hostTimes(graph, precision)) });
  }
}

/** Of few channels, so that there are many maps. */
async function measureMany(): Promise<void> {
  const many = { maps: Number(flags.maps), channels: 8, batch: 8 };
  await using classifier = ortClassifier(graph);
  const { device, precision } = classifier;
  await add({ kind: 'flat', what: 'many maps', device, precision, ...(await measureFlatness(classifier, many)) });
}

/** Every row is in the file as soon as it is known. */
async function add(row: object): Promise<void> {
  file.rows.push(row);
  console.log(JSON.stringify(row));
  if (!flags.json) return;
  await mkdir(dirname(flags.json), { recursive: true });
  await writeFile(`${flags.json}.part`, `${JSON.stringify(file, null, 1)}\n`);
  await rename(`${flags.json}.part`, flags.json);
}
