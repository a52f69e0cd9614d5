import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mergeTunings, programsFor, type TunedConvolution, type Tuning } from '@cambium/cam';
import type { OpenedDevice } from '@cambium/gpu-kernels';
import envPaths from 'env-paths';
import { z } from 'zod';
import { messageOf, UsageError } from '../errors.ts';
import { reasonOf, writeAtomically } from '../io/atomic-write.ts';
import { fingerprint } from '../study/fingerprint.ts';

/** Version of the file; readers pass over others. */
const FORMAT = 1;

const pair = z.tuple([z.number(), z.number()]);
const whole = z.number().int().nonnegative();

const fileSchema = z.object({
  format: z.literal(FORMAT),
  /** As the driver describes itself: what won elsewhere need not win here. */
  adapter: z.object({ vendor: z.string(), architecture: z.string(), device: z.string(), description: z.string() }),
  /** Stands for the programs that were tried: the file holds for no others. */
  programs: z.string(),
  /** ISO 8601, UTC. */
  made: z.iso.datetime(),
  convolutions: z.array(
    z.object({
      precision: z.enum(['f32', 'f16']),
      shape: z.object({
        pixels: whole,
        depth: whole,
        channels: whole,
        options: z.object({
          kernel: pair,
          strides: pair,
          pads: z.tuple([z.number(), z.number(), z.number(), z.number()]),
          dilations: pair,
          relu: z.boolean().optional(),
          back: pair.optional(),
        }),
        width: whole.optional(),
      }),
      winner: z.string(),
    }),
  ),
});

type Device = Pick<OpenedDevice, 'adapter' | 'software' | 'limits' | 'features'> &
  Partial<Pick<OpenedDevice, 'subgroups'>>;

/** What is known of how an adapter computes fastest. */
export interface FoundTuning {
  readonly path: string;
  readonly tuning?: Tuning;
  /** For how many convolutions and when, in words. */
  readonly said?: string;
  /** Why the file that is there is of no use. */
  readonly fault?: string;
}

/** Where the tuning of an adapter is kept: in the user's cache folder, a file for each adapter. */
export function tuningPath({ adapter }: Pick<Device, 'adapter'>): string {
  const { vendor, architecture, device, description } = adapter;
  const name = fingerprint(vendor, architecture, device, description).slice(0, 16);
  return join(envPaths('cambium', { suffix: '' }).cache, `tuning-${name}.json`);
}

/** Looks for the tuning of an adapter. A file that is damaged, or of another adapter or other programs, is told and not used. */
export function findTuning(device: Device, path = tuningPath(device)): FoundTuning {
  if (!existsSync(path)) return { path };
  const fault = (why: string) => ({
    path,
    fault: `The tuning in ${path} is not used: ${why}. Make it anew with cambium tune, or remove it.`,
  });
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return fault(error instanceof SyntaxError ? 'it is no JSON' : messageOf(error));
  }
  const read = fileSchema.safeParse(json);
  if (!read.success) {
    const [{ path: where, message }] = read.error.issues;
    return fault(`${where.join('.') || 'the file'}: ${message}`);
  }
  const { adapter, programs, convolutions, made } = read.data;
  if (JSON.stringify(adapter) !== JSON.stringify(describe(device))) {
    return fault(`it is of ${adapter.description || adapter.device || 'another adapter'}`);
  }
  if (programs !== programsOf(device, convolutions)) return fault('it was made with other programs');
  return {
    path,
    tuning: { convolutions },
    said: `tuned for ${convolutions.length} convolutions on ${made.slice(0, 10)}`,
  };
}

/**
 * Keeps a tuning, beside what is known of other shapes on the adapter.
 *
 * @returns the number of convolutions that are known now
 * @throws UsageError when the file cannot be written
 */
export async function keepTuning(device: Device, { convolutions }: Tuning, path: string): Promise<number> {
  const { tuning } = findTuning(device, path);
  const all = mergeTunings(tuning?.convolutions ?? [], convolutions);
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw new UsageError(`${dirname(path)} cannot be made: ${reasonOf(error)}. Choose another file with --out.`, {
      cause: error,
    });
  }
  const content: z.input<typeof fileSchema> = {
    format: FORMAT,
    adapter: describe(device),
    programs: programsOf(device, all),
    made: new Date().toISOString(),
    convolutions: all.map(({ precision, shape, winner }) => ({
      precision,
      shape: {
        ...shape,
        options: z.parse(fileSchema.shape.convolutions.element.shape.shape.shape.options, shape.options),
      },
      winner,
    })),
  };
  await writeAtomically(path, `${JSON.stringify(content, null, 1)}\n`);
  return all.length;
}

function describe({ adapter: { vendor, architecture, device, description } }: Device) {
  return { vendor, architecture, device, description };
}

/** Stands for the programs that compute these convolutions on a device: names, texts and tuning numbers. */
function programsOf(device: Device, convolutions: readonly TunedConvolution[]): string {
  const programs = convolutions.flatMap(({ precision, shape }) => programsFor(device, precision, shape));
  const texts = new Set(programs.map(({ name, wgsl }) => JSON.stringify([name, wgsl])));
  return fingerprint(...[...texts].sort());
}
