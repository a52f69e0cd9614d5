import { Command } from '@commander-js/extra-typings';
import type { Surroundings } from './surroundings.ts';
import { cambiumVersion } from './versions.ts';

/**
 * The command line: subcommands, their arguments and flags. A command's code is loaded when it is called.
 *
 * @param setExitCode called by a command that ran through and found something broken
 */
export function buildProgram(surroundings: Surroundings, setExitCode: (code: number) => void): Command {
  const program = new Command('cambium')
    .description('Class activation maps for any ONNX image classifier.')
    .version(cambiumVersion())
    .option('--no-color', 'no colours, as with NO_COLOR; may stand anywhere')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => undefined }); // main says it, in one line
  addExplain(program, surroundings);
  addRun(program, surroundings, setExitCode);
  addPlan(program, surroundings);
  addReport(program, surroundings);
  addCompare(program, surroundings, setExitCode);
  addList(program, surroundings);
  addTune(program, surroundings);
  program
    .command('doctor')
    .description('check Node.js, ONNX Runtime, image formats, the font, the embedded model and the GPU')
    .option('--software', 'test a software adapter where there is no GPU')
    .action(async (flags) => {
      const { doctorCommand } = await import('./commands/doctor.ts');
      if (!(await doctorCommand(flags, surroundings))) setExitCode(1);
    });
  return program;
}

function addExplain(program: Command, surroundings: Surroundings): void {
  program
    .command('explain')
    .description('explain images: an overlay and the numbers of a map for each image, layer and method')
    .argument('<image...>', 'image files of any format: PNG, JPEG, WebP, GIF, TIFF, AVIF, SVG')
    .option('--model <path|name>', 'an .onnx file, or a model of `cambium list models` (default: the embedded one)')
    .option('--method <name>', 'a method of `cambium list methods`; repeatable (default: grad-cam)', collect)
    .option('--layer <name>', 'a layer of `cambium list layers`; repeatable (default: the last)', collect)
    .option('--class <class>', 'top1, or the index or name of a class', 'top1')
    .option('--variant <name>', 'variant of score-cam: author, pytorch-grad-cam, torch-cam, paper, faster')
    .option(
      '--channels <n>',
      'channels that score-cam tries, those that vary most (default: every one, 64 in the variant faster)',
    )
    .option('--batch <n>', 'masked images in one run of the network')
    .option('--size <HxW>', 'input size of a model that leaves it open, such as 224x224')
    .option('--mean <r,g,b>', 'mean of u8/255 that the model was trained with')
    .option('--std <r,g,b>', 'standard deviation of u8/255 that the model was trained with')
    .option('--labels <file|list>', 'names of the classes: a file with one in each line, or a list with commas')
    .option('--device <name>', 'auto, gpu, cpu, hybrid, software, cuda, coreml or dml', 'auto')
    .option('--precision <name>', 'f32, f16 (on a GPU) or int8 (on the CPU)', 'f32')
    .option('--colormap <name>', 'turbo, viridis or jet', 'turbo')
    .option('--alpha <share>', 'share of the map in the overlay, 0 to 1', '0.5')
    .option('--format <name>', 'png, webp or npy; repeatable (default: png and npy)', collect)
    .option('--seed <n>', 'seed of random-cam', '42')
    .option('-o, --out <folder>', 'where the files go', 'explained')
    .action(async (images, flags) => {
      const { explainCommand } = await import('./commands/explain.ts');
      await explainCommand(images, flags, surroundings);
    });
}

function addRun(program: Command, surroundings: Surroundings, setExitCode: (code: number) => void): void {
  asked(program.command('run'))
    .description('run a suite: maps, scores and report; finished cells are skipped')
    .option('--budget <time>', 'stop after a time such as 90s, 30m or 2h, to go on later (exit code 3)')
    .option('--fresh', 'forget what the folder holds of earlier runs')
    .option('--fail-fast', 'stop at the first cell that fails')
    .option('--no-report', 'write no figures and no report; cambium report does it later')
    .option('--dry-run', 'tell what it would cost and do nothing: the same as plan')
    .option('-q, --quiet', 'say nothing but what went wrong')
    .action(async (suite, flags) => {
      const { runCommand } = await import('./commands/run.ts');
      setExitCode(await runCommand(suite, flags, surroundings));
    });
}

function addPlan(program: Command, surroundings: Surroundings): void {
  asked(program.command('plan'))
    .description('what a run would cost: cells, forward passes, time, memory; nothing is run or written')
    .action(async (suite, flags) => {
      const { planCommand } = await import('./commands/plan.ts');
      await planCommand(suite, flags, surroundings);
    });
}

/** What run and plan are asked alike. */
function asked(command: Command) {
  return command
    .argument('[suite]', 'smoke, quick, paper, or the path of a .json or .ts suite', 'quick')
    .option(
      '--only <glob>',
      'cells as method@layer or method@layer:metric, such as score-cam*@layer4; repeatable',
      collect,
    )
    .option('--images <folder|glob>', 'other images than the suite’s')
    .option('--model <path|name>', 'another model than the suite’s')
    .option('--limit <n>', 'the first images only')
    .option('--device <name>', 'auto, gpu, cpu, hybrid, software, cuda, coreml or dml', 'auto')
    .option('--precision <name>', 'f32, f16 (on a GPU) or int8 (on the CPU)', 'f32')
    .option('--batch <n>', 'images in one run of the network; auto takes the suite’s, or what suits the device', 'auto')
    .option('--shard <i/n>', 'one part of several that other machines run, such as 2/3')
    .option('--seed <n>', 'another seed than the suite’s')
    .option('--full', 'Score-CAM as its authors run it, with every channel (slow)')
    .option('--json', 'events as JSON Lines on standard output')
    .option('-o, --out <folder>', 'where the files go (default: runs/<suite>)');
}

function addReport(program: Command, surroundings: Surroundings): void {
  program
    .command('report')
    .description('the report of a run, or of several runs or shards of one suite: one HTML file, its tables and charts')
    .argument('<run...>', 'folders that cambium run wrote')
    .option('-o, --out <folder>', 'where the files go (default: the run; for several, runs/<suite>-merged)')
    .action(async (folders, flags) => {
      const { reportCommand } = await import('./commands/report.ts');
      await reportCommand(folders, flags, surroundings);
    });
}

function addCompare(program: Command, surroundings: Surroundings, setExitCode: (code: number) => void): void {
  program
    .command('compare')
    .description('paired differences of two runs, b − a')
    .argument('<a>', 'folder of the first run')
    .argument('<b>', 'folder of the second run')
    .option('--fail-on <verdict>', 'worse: exit code 1 when anything is worse or lost in b')
    .action(async (a, b, flags) => {
      const { compareCommand } = await import('./commands/compare.ts');
      if (!(await compareCommand({ a, b }, flags, surroundings))) setExitCode(1);
    });
}

function addTune(program: Command, surroundings: Surroundings): void {
  program
    .command('tune')
    .description('time the programs for each convolution of a model on the GPU and keep the fastest for this adapter')
    .argument('[model]', 'an .onnx file or the name of a model (default: the embedded one)')
    .option('--device <name>', 'gpu or software', 'gpu')
    .option('--precision <name>', 'f32 or f16', 'f32')
    .option('--batch <n>', 'images in one run of the network; auto takes what runs take', 'auto')
    .option('--json', 'one object with all times on standard output')
    .option('-o, --out <file>', 'where the winners go (default: the cache folder, where run and explain find them)')
    .action(async (model, flags) => {
      const { tuneCommand } = await import('./commands/tune.ts');
      await tuneCommand(model, flags, surroundings);
    });
}

function addList(program: Command, surroundings: Surroundings): void {
  const list = program.command('list').description('list what can be named on the command line');
  const commands = () => import('./commands/list.ts');
  list
    .command('methods')
    .description('the methods and their sources')
    .action(async () => (await commands()).listMethods(surroundings));
  list
    .command('layers')
    .description('the layers of a model')
    .argument('[model]', 'an .onnx file or the name of a model (default: the embedded one)')
    .option('--size <HxW>', 'input size of a model that leaves it open, such as 224x224')
    .action(async (model, flags) => (await commands()).listLayersOf(model, flags, surroundings));
  list
    .command('metrics')
    .description('the metrics, their direction and their sources')
    .action(async () => (await commands()).listMetrics(surroundings));
  list
    .command('suites')
    .description('the suites that come with Cambium')
    .action(async () => (await commands()).listSuites(surroundings));
  list
    .command('models')
    .description('the models that come with Cambium')
    .action(async () => (await commands()).listModels(surroundings));
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
