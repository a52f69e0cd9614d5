import { messageOf } from '../errors.ts';
import type { PreparedModel } from '../prepared-model.ts';
import { measureText } from '../render/text.ts';
import type { Surroundings } from '../surroundings.ts';
import { versions } from '../versions.ts';

/** One thing that the command needs. */
interface Check {
  readonly name: string;
  /** What to do when it fails. */
  readonly remedy: string;
  /** The check without which this one has nothing to look at. */
  readonly after?: string;
  /** Returns what was found; throws when it is not good. */
  run(): string | Promise<string>;
}

/**
 * Checks everything that the command needs, one line each, with what to do about what is broken.
 *
 * The parts with native code are loaded inside their own check, so that a broken one does not hide the others.
 *
 * @returns whether all is well
 */
export async function doctorCommand(
  flags: { readonly software?: true },
  { ui, root, models }: Surroundings,
): Promise<boolean> {
  const broken = new Set<string>();
  for (const { name, remedy, after, run } of [
    ...checks(root, models),
    gpuCheck(flags.software ? 'software' : 'hardware'),
  ]) {
    if (after !== undefined && broken.has(after)) {
      ui.print(`${ui.colours.dim('–')} ${name}: left out, it needs what ${after} lacks`);
      continue;
    }
    try {
      ui.print(`${ui.colours.green('✔')} ${name}: ${await run()}`);
    } catch (error) {
      broken.add(name);
      ui.print(`${ui.colours.red('✖')} ${name}: ${messageOf(error)} → ${remedy}`);
    }
  }
  return broken.size === 0;
}

function checks(root: string | undefined, models: string | undefined): Check[] {
  const model = async () => (await import('../prepared-model.ts')).prepareModel({}, models);
  const restore = 'restore models/ and test-fixtures/ from the repository (git checkout -- models test-fixtures)';
  const always: Check[] = [
    { name: 'Node.js', remedy: 'install Node.js 22.18 or later', run: checkNode },
    {
      name: 'ONNX Runtime',
      remedy: 'reinstall the packages; onnxruntime-node has binaries for Linux, macOS and Windows on x64 and arm64',
      run: checkRuntime,
    },
    { name: 'images', remedy: 'reinstall the packages; sharp needs its binary for this system', run: checkImages },
    { name: 'font', remedy: 'reinstall the packages; dejavu-fonts-ttf is missing', run: checkFont },
  ];
  if (root === undefined) return always;
  return [
    ...always,
    { name: 'embedded model', remedy: restore, run: async () => describeModel(await model()) },
    {
      name: 'self test',
      after: 'embedded model',
      remedy: 'report it with this output: the numbers of this machine cannot be trusted',
      run: async () => checkNumbers(await model(), root),
    },
  ];
}

// no GPU is nothing broken: the CPU computes
function gpuCheck(prefer: 'hardware' | 'software'): Check {
  return {
    name: 'GPU',
    remedy: 'update its driver; until then compute with --device cpu, which is what auto does',
    async run() {
      const { testGpu } = await import('../gpu-test.ts');
      const test = await testGpu(prefer);
      if (test.found) return `${test.adapter}; ${test.agreement}; ${test.limits}; ${test.tuning}`;
      const hint = prefer === 'hardware' ? ' (cambium doctor --software tests a software adapter)' : '';
      return `none, so the CPU computes: ${test.tried}${hint}`;
    },
  };
}

function checkNode(): string {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.versions.node;
  throw new Error(`${process.versions.node} is too old`);
}

async function checkRuntime(): Promise<string> {
  const { availableProviders } = await import('@cambium/cam');
  return `${versions().onnxruntime}, built with ${availableProviders().join(', ')}`;
}

async function checkImages(): Promise<string> {
  const { imageSupport } = await import('../io/image.ts');
  const { version, formats } = imageSupport();
  const missing = ['png', 'jpeg', 'webp'].filter((format) => !formats.includes(format));
  if (missing.length > 0) throw new Error(`sharp ${version} cannot read ${missing.join(', ')}`);
  return `sharp ${version} reads ${formats.join(', ')}`;
}

function checkFont(): string {
  const width = measureText('Grad-CAM', { size: 100 });
  if (width > 300 && width < 700) return 'DejaVu Sans';
  throw new Error(`the font measures ${width} for a word of about 480`);
}

function describeModel({ file, labels }: PreparedModel): string {
  return `${file.name}, ${labels.length} classes, sha256 ${file.sha256.slice(0, 12)}… as in the manifest`;
}

// a recorded answer of the embedded network: what PyTorch said to the first test image
async function checkNumbers(model: PreparedModel, root: string): Promise<string> {
  const { ortClassifier } = await import('@cambium/cam');
  const { selfTest } = await import('../self-test.ts');
  await using classifier = ortClassifier(model.graph);
  const test = await selfTest(model, classifier, root);
  if (test === null) throw new Error('there are no recorded numbers for this model');
  const found = `${test.name}: largest difference ${test.difference.toExponential(1)}`;
  if (test.difference <= test.tolerance) return found;
  throw new Error(`${found}, more than ${test.tolerance}`);
}
