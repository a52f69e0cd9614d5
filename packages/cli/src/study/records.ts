import { z } from 'zod';
import { precisions } from '../open-classifier.ts';

/** Version of the run folder's files; readers refuse others. */
export const FORMAT = 1;

const count = z.number().int().nonnegative();
const seconds = z.number().nonnegative();
const options = z.record(z.string(), z.json());
const classAnswer = z.object({ index: count, label: z.string(), probability: z.number() });

/** One image of a run: the file, and what the network says to it. */
export const imageRecordSchema = z.object({
  /** Stands in the names of files and in the rows. */
  name: z.string(),
  file: z.string(),
  sha256: z.string(),
  /** What the image shows, where it is known. */
  label: z.string().optional(),
  predicted: classAnswer,
  /** Most probable first; fewer than three where the network has fewer classes. */
  top3: z.array(classAnswer),
  /** The class that the maps explain. */
  target: classAnswer,
});

/** A method with the options that it ran with. */
export const techniqueRecordSchema = z.object({
  /** Unique in the run and part of file names: `grad-cam`, `score-cam.faster`. */
  id: z.string(),
  method: z.string(),
  variant: z.string().optional(),
  /** As papers write it, such as `Grad-CAM++`. */
  title: z.string(),
  /** Which form of it, such as `faster, 64 channels`; empty for methods of one form. */
  form: z.string(),
  options,
});

/** A layer that maps are made at. */
export const layerRecordSchema = z.object({
  name: z.string(),
  /** The value of the graph that it stands for. */
  value: z.string(),
  /** channels, height, width */
  shape: z.array(count),
  /** Part of file names. */
  folder: z.string(),
});

const value = z.number().nullable();

/** The places of the techniques at one layer on one image, as this device and precision give them and as float32 does. */
export const placeCheckSchema = z.object({
  layer: z.string(),
  image: z.string(),
  criterion: z.string(),
  techniques: z.array(
    z.object({
      title: z.string(),
      own: value,
      reference: value,
      /** 1 is best; null without a score. */
      place: value,
      referencePlace: value,
    }),
  ),
});

/** A plain loop against batches, timed on this machine. */
export const loopTimingSchema = z.object({
  /** Masked images that were classified one at a time. */
  images: count,
  /** Images in the batch. */
  batch: count,
  /** Seconds for each image: made in JavaScript and classified alone. */
  single: seconds,
  /** Seconds for each image in a batch, made where the network computes. */
  batched: seconds,
});

/** `run.json`: what is being run, on what, and how far it is. */
export const runRecordSchema = z.object({
  format: z.literal(FORMAT),
  /** The suite as it was resolved: names found, defaults filled in. */
  suite: z.object({ name: z.string(), title: z.string() }).catchall(z.json()),
  /** SHA-256 of all that decides the cells: runs and shards of one suite have the same. */
  suiteKey: z.string(),
  model: z.object({
    name: z.string(),
    file: z.string(),
    sha256: z.string(),
    labels: z.array(z.string()),
    /** channels, height, width */
    input: z.array(count),
    mean: z.array(z.number()),
    std: z.array(z.number()),
    resize: z.string(),
  }),
  images: z.array(imageRecordSchema),
  techniques: z.array(techniqueRecordSchema),
  layers: z.array(layerRecordSchema),
  /** Metrics with all their options, in the suite's order. */
  metrics: z.array(z.object({ name: z.string(), options })),
  /** What is less than the paper's or Quantus's, in words, as printed at the start. */
  reductions: z.array(z.string()),
  device: z.string(),
  /** Of forward passes that were asked for their logits; float32 where it is not said. */
  precision: z.enum(precisions).optional(),
  versions: z.record(z.string(), z.string()),
  /** Where the last session ran; left out by earlier versions. */
  machine: z
    .object({ cpu: z.string(), cores: count, memoryGB: count, system: z.string(), node: z.string() })
    .optional(),
  /** The GPU, where one computes. */
  adapter: z.string().optional(),
  seed: count,
  /** From 1 to count; { index: 1, count: 1 } for a whole run. */
  shard: z.object({ index: z.number().int().positive(), count: z.number().int().positive() }),
  /** Cells that this run or shard has to finish. */
  cells: count,
  git: z.object({ commit: z.string(), dirty: z.boolean() }).optional(),
  /** The command that made it, to repeat it. */
  command: z.string(),
  /** ISO 8601, UTC. */
  started: z.string(),
  ended: z.string().optional(),
  /** True when every cell has a row. */
  complete: z.boolean(),
  /** What this machine's numbers were held to when the run began. */
  checks: z
    .array(
      z.object({
        /** What was compared with what, in words. */
        name: z.string(),
        /** Largest absolute difference. */
        difference: z.number(),
        tolerance: z.number(),
        /** Rank correlation, where maps were compared. */
        spearman: z.number().optional(),
      }),
    )
    .optional(),
  /** Whether the order of the techniques hangs on device and precision, where they are not ONNX Runtime in float32 on the CPU. */
  places: z.array(placeCheckSchema).optional(),
  /** Taken when the run began; left out where it would have taken long. */
  loop: loopTimingSchema.optional(),
  /** Work of all sessions that ended in order, figures and report left out; a killed session's is not in it. */
  spent: z.object({
    /** From the start of the command. */
    seconds,
    /** Seconds in which the classifier was at work: compiling or computing the network; two images' questions count once. */
    classifier: seconds,
    forwards: count,
  }),
});

/** A line of `maps.jsonl`: one finished map. Its numbers are in `maps/<layer>/<technique>/<image>.npy`. */
export const mapRowSchema = z.object({
  key: z.string(),
  image: z.string(),
  /** Name of the layer. */
  layer: z.string(),
  /** Id of the technique. */
  technique: z.string(),
  target: count,
  /** SHA-256 of the raw map's file. */
  coarse: z.string().optional(),
  /** The map says nothing: it is constant. */
  degenerate: z.boolean(),
  /** Images classified for this map; what others had computed is not counted again. */
  forwards: count,
  /** Without those in which another image's questions were answered. */
  seconds,
  /**
   * Bytes of the whole process: when the map was begun, and the most while it was made; left out where nobody tells, or another
   * image was worked on.
   */
  memory: z.object({ before: count, peak: count }).optional(),
  device: z.string(),
});

/** A line of `results.jsonl`: one finished cell, image × layer × technique × metric. */
export const resultRowSchema = z.object({
  /** SHA-256 of model, image, parameters, package versions and seed; unique in the file. */
  key: z.string(),
  model: z.string(),
  image: z.string(),
  /** Name of the layer. */
  layer: z.string(),
  method: z.string(),
  variant: z.string().optional(),
  /** Id of the technique. */
  technique: z.string(),
  metric: z.string(),
  /** All of them, defaults too. */
  options,
  /** The score, or null with a reason or an error. */
  value: z.number().nullable(),
  /** Why there is no score, where the metric has none for this map. */
  reason: z.string().optional(),
  /** Plain numbers behind the score, such as its curve. */
  detail: z.record(z.string(), z.json()).optional(),
  /** What went wrong, where the cell failed. */
  error: z.string().optional(),
  /** Images classified for this row; what other rows had computed is not counted again. */
  forwards: count,
  /** Images explained for this row. */
  explanations: count,
  /** Without those in which another image's questions were answered. */
  seconds,
  device: z.string(),
  seed: count,
});

export type ImageRecord = z.infer<typeof imageRecordSchema>;
export type TechniqueRecord = z.infer<typeof techniqueRecordSchema>;
export type LayerRecord = z.infer<typeof layerRecordSchema>;
export type RunRecord = z.infer<typeof runRecordSchema>;
export type LoopTiming = z.infer<typeof loopTimingSchema>;
export type PlaceCheck = z.infer<typeof placeCheckSchema>;
export type MapRow = z.infer<typeof mapRowSchema>;
export type ResultRow = z.infer<typeof resultRowSchema>;

/** Plain values as JSON knows them. */
export type Options = TechniqueRecord['options'];
