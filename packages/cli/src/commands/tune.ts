import { chooseBatch, type TimedConvolution, tune, tuningOf } from '@cambium/cam';
import { UsageError } from '../errors.ts';
import { oneOf, wholeNumber } from '../flags.ts';
import { findDevice, requireHalves } from '../open-classifier.ts';
import { prepareModel } from '../prepared-model.ts';
import { table } from '../render/table.ts';
import type { Surroundings } from '../surroundings.ts';
import { findTuning, keepTuning, tuningPath } from '../tuning/tuning-file.ts';

/** The flags of `cambium tune` as they were typed. */
export interface TuneFlags {
  readonly device: string;
  readonly precision: string;
  readonly batch: string;
  readonly out?: string;
  readonly json?: true;
}

/**
 * Times the programs for each convolution of a model on a GPU, tells what they took, and keeps the winners for this adapter. Where it
 * is stopped, or a convolution fails, those before are kept.
 *
 * @throws UsageError, ModelError or NameError for what cannot be done as asked
 */
export async function tuneCommand(
  model: string | undefined,
  flags: TuneFlags,
  { ui, models, signal }: Surroundings,
): Promise<void> {
  const device = oneOf('device', flags.device, ['gpu', 'software']);
  const precision = oneOf('precision', flags.precision, ['f32', 'f16']);
  const asked = flags.batch === 'auto' ? undefined : wholeNumber('--batch', flags.batch);
  const { graph, file } = await prepareModel({ model }, models);
  using opened = await findDevice(device, { disable: ['timestamp_quantization'] });
  if (precision === 'f16') await requireHalves(opened);
  const path = flags.out ?? tuningPath(opened);
  const { fault } = findTuning(opened, path);
  if (fault !== undefined && flags.out !== undefined) throw new UsageError(`--out: ${fault}`);
  const batch = asked ?? chooseBatch(graph, opened, { precision });
  const { description, device: name } = opened.adapter;
  ui.note(`${file.name} in ${precision}, batches of ${batch}, on ${description || name || 'the GPU'}`);
  const timed = await timeAll();
  const known = await keepTuning(opened, tuningOf(timed), path);
  if (flags.json) {
    ui.print(
      JSON.stringify({ adapter: opened.adapter, model: file.name, precision, batch, convolutions: timed, path }),
    );
    return;
  }
  for (const line of table(HEAD, timed.flatMap(rowsOf))) ui.print(line);
  ui.print('');
  ui.print(summaryOf(timed));
  const use = flags.out === undefined ? '; run and explain compute by it on this adapter' : '';
  ui.print(`${known} convolutions are known for this adapter in ${path}${use}.`);

  async function timeAll(): Promise<readonly TimedConvolution[]> {
    using progress = ui.progress(1);
    const found: TimedConvolution[] = [];
    const onConvolution = (convolution: TimedConvolution, done: number, total: number) => {
      found.push(convolution);
      progress.update({ done: done / total, task: labelOf(convolution), count: `${done}/${total} convolutions` });
    };
    try {
      return await tune(opened, graph, { batch, precision, signal, onConvolution });
    } catch (error) {
      if (found.length > 0) {
        await keepTuning(opened, tuningOf(found), path);
        ui.note(`What was timed before the end is kept in ${path}: convolutions 1 to ${found.length}.`);
      }
      throw error;
    }
  }
}

const HEAD = ['convolution', '', 'program', 'ms', 'GFLOP/s', '', 'against the default'];

/** A row for each program, the convolution named in the first. */
function rowsOf(timed: TimedConvolution): string[][] {
  const { programs, count, flops, winner, usual } = timed;
  const ofUsual = secondsOf(timed, usual);
  return programs.map(({ name, seconds, refused }, index) => [
    index === 0 ? labelOf(timed) : '',
    index === 0 && count > 1 ? `×${count}` : '',
    name,
    seconds === null ? '–' : (1000 * seconds).toFixed(3),
    seconds === null ? '–' : (flops / seconds / 1e9).toFixed(1),
    [name === winner ? '✔' : '', name === usual ? 'default' : ''].filter(Boolean).join(' '),
    seconds === null ? `refused: ${refused}` : ofUsual === undefined ? '' : `${(ofUsual / seconds).toFixed(2)}×`,
  ]);
}

/** The window, the product of matrices that it is, and how many pixels have one. */
function labelOf({ shape: { pixels, depth, channels, options } }: TimedConvolution): string {
  const [height, width] = options.kernel;
  const stride = options.strides[0] === 1 && options.strides[1] === 1 ? '' : ` /${options.strides.join('×')}`;
  return `${height}×${width}${stride}  ${pixels.toLocaleString('en')} × ${depth} × ${channels}`;
}

/** What the network's convolutions take together, as won and by default. */
function summaryOf(timed: readonly TimedConvolution[]): string {
  const total = (nameOf: (each: TimedConvolution) => string) =>
    timed.reduce((sum, each) => sum + each.count * (secondsOf(each, nameOf(each)) ?? Number.NaN), 0);
  const [won, usual] = [total(({ winner }) => winner), total((each) => each.usual)];
  const changed = timed.filter((each) => each.winner !== each.usual).length;
  const flops = timed.reduce((sum, { flops: own, count }) => sum + own * count, 0);
  const before = Number.isNaN(usual)
    ? 'a default program was refused'
    : `${(1000 * usual).toFixed(2)} ms by default (${(usual / won).toFixed(2)}×)`;
  return `All convolutions: ${(1000 * won).toFixed(2)} ms as won, ${before}; ${(flops / won / 1e9).toFixed(1)} GFLOP/s. ${changed} of ${timed.length} shapes are computed otherwise than by default.`;
}

function secondsOf({ programs }: TimedConvolution, name: string): number | undefined {
  return programs.find((program) => program.name === name)?.seconds ?? undefined;
}
