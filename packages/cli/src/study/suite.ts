import { methods } from '@cambium/cam';
import { metrics } from '@cambium/metrics';
import { z } from 'zod';
import { mapsFromFiles } from './map-files.ts';
import { methodOptions } from './method-options.ts';

const methodNames = Object.keys(methods);
const metricNames = Object.keys(metrics);
const triple = z.tuple([z.number(), z.number(), z.number()]);
const positive = z.number().positive();
const identifier = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._+-]*$/u,
    'letters, digits, ".", "_", "+" and "-", beginning with a letter or digit',
  );

const image = z.union([
  z.string().min(1),
  z.strictObject({ file: z.string().min(1), label: z.string().optional(), mask: z.string().optional() }),
]);

const images = z.union([
  z.string().min(1),
  z.array(image).min(1),
  z.strictObject({
    folder: z.string().min(1),
    layout: z.enum(['auto', 'flat', 'classes']).default('auto'),
    perClass: z.int().positive().optional(),
    limit: z.int().positive().optional(),
  }),
]);

type JsonRecord = Record<string, z.core.util.JSONType>;

interface MethodEntry {
  /** A method of the registry, or `maps` where they come from files. */
  readonly method: string;
  readonly id?: string;
  readonly title?: string;
  readonly options: JsonRecord;
}

interface MetricEntry {
  readonly metric: string;
  readonly options: JsonRecord;
  readonly explainWith?: { readonly [method: string]: JsonRecord | undefined };
}

const method = z.union([
  z.enum(methodNames).transform((method): MethodEntry => ({ method, options: {} })),
  z.strictObject({
    method: z.enum(methodNames),
    id: identifier.optional(),
    title: z.string().min(1).optional(),
    options: z.record(z.string(), z.json()).default({}),
  }),
  z
    .strictObject({
      /** Path of a .npy file with {image}, and {layer} where each layer has its own maps. */
      maps: z.string().min(1),
      id: identifier,
      title: z.string().min(1).optional(),
      /** What becomes of numbers below 0. */
      negative: z.enum(['drop', 'absolute']).optional(),
    })
    .transform(({ id, title = id, ...options }): MethodEntry => ({ method: mapsFromFiles.name, id, title, options })),
]);

const metric = z.union([
  z.enum(metricNames).transform((metric): MetricEntry => ({ metric, options: {} })),
  z.strictObject({
    metric: z.enum(metricNames),
    options: z.record(z.string(), z.json()).default({}),
    /** Method options within this metric, by method: for metrics that explain again and again. */
    explainWith: z.partialRecord(z.enum(methodNames), z.record(z.string(), z.json())).optional(),
  }),
]);

/** What a suite file says: any model, images, methods, layers and metrics. */
export const suiteSchema = z
  .strictObject({
    $schema: z.string().optional(),
    name: identifier,
    title: z.string().min(1).optional(),
    model: z.string().min(1).optional(),
    preprocess: z
      .strictObject({
        size: z.tuple([z.int().positive(), z.int().positive()]).optional(),
        mean: triple.optional(),
        std: z.tuple([positive, positive, positive]).optional(),
        resize: z.enum(['squash', 'shorter-side-centre-crop']).optional(),
      })
      .optional(),
    classes: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
    images: images.optional(),
    layers: z.array(z.string().min(1)).min(1),
    methods: z.array(method).min(1),
    metrics: z.array(metric),
    target: z.union([z.string().min(1), z.int().nonnegative()]).default('top1'),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(42),
    batch: z.int().positive().max(1024).optional(),
  })
  .superRefine((suite, context) => {
    for (const [index, entry] of suite.methods.entries()) {
      if (entry.method === mapsFromFiles.name) continue;
      checkMethod(entry.method, entry.options, ['methods', index, 'options'], context);
    }
    for (const [index, { explainWith = {} }] of suite.metrics.entries()) {
      for (const [name, options] of Object.entries(explainWith)) {
        checkMethod(name, options ?? {}, ['metrics', index, 'explainWith', name], context);
      }
    }
  });

export type Suite = z.output<typeof suiteSchema>;
/** A suite as it is written: what has a default may be left out. */
export type SuiteInput = z.input<typeof suiteSchema>;

type Path = readonly (string | number)[];

function checkMethod(name: string, options: object, path: Path, context: z.RefinementCtx): void {
  const schema: z.ZodType = methodOptions[name as keyof typeof methodOptions]; // the name was one of the registry's
  const parsed = schema.safeParse(options);
  for (const issue of parsed.error?.issues ?? []) {
    context.addIssue({ ...issue, path: [...path, ...issue.path] } as Parameters<typeof context.addIssue>[0]); // the same issue elsewhere
  }
}
