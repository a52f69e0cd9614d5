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
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => undefined }); // main says it, in one line
  addExplain(program, surroundings);
  addStudy(program, surroundings);
  addList(program, surroundings);
  program
    .command('doctor')
    .description('check Node.js, ONNX Runtime, image formats, the font and the embedded model')
    .action(async () => {
      const { doctorCommand } = await import('./commands/doctor.ts');
      if (!(await doctorCommand(surroundings))) setExitCode(1);
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
    .option('--provider <name>', 'where ONNX Runtime computes: cpu, cuda, webgpu, coreml, dml', 'cpu')
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

function addStudy(program: Command, surroundings: Surroundings): void {
  program
    .command('study')
    .description('the study: four techniques, two layers, ten images, two figures')
    .option(
      '--full',
      'Score-CAM as its authors run it, with every channel (slow); without it, `faster` with 64 channels',
    )
    .option('--images <folder>', 'other images than the ten textures')
    .option('--model <path|name>', 'another model than the embedded one')
    .option('--batch <n>', 'masked images in one run of the network')
    .option('-o, --out <folder>', 'where the files go', 'runs/study')
    .action(async (flags) => {
      const { studyCommand } = await import('./commands/study.ts');
      await studyCommand(flags, surroundings);
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
    .command('models')
    .description('the models that come with Cambium')
    .action(async () => (await commands()).listModels(surroundings));
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
