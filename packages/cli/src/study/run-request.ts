import type { Classifier } from '@cambium/cam';
import type { Cell } from './cells.ts';
import type { ImageEstimate } from './estimate.ts';
import type { ImageRecord, MapRow, ResultRow } from './records.ts';
import type { RunFolder } from './run-folder.ts';
import type { Study } from './study.ts';
import type { Tally } from './working-classifier.ts';

/** What a run does, as it does it. */
export interface RunEvents {
  /** The image is open; its record will stand in `run.json`. */
  onImage(record: ImageRecord): Promise<void>;
  onMap(row: Omit<MapRow, 'coarse'>): void;
  onCell(row: ResultRow): void;
  /** Work on an image goes on to its next step. */
  onStep(step: RunStep): void;
}

/** A map or a cell. */
export interface RunStep {
  readonly image: string;
  readonly task: string;
  /** Images to classify for it. */
  readonly planned: number;
  /** Images classified for it so far. */
  done(): number;
}

/** What is to be done, and where. */
export interface RunRequest {
  readonly study: Study;
  readonly classifier: Classifier;
  /** Counts what is done. */
  readonly total: Tally;
  /** Images that are worked on at once: with two, one's metrics are computed while the other's forward passes run. */
  readonly imagesAtOnce: number;
  readonly folder: RunFolder;
  /** Unfinished and finished; the finished ones are skipped. */
  readonly cells: readonly Cell[];
  /** Whether an image is known from an earlier session, so that it need not be shown to the network for its record. */
  isRecorded(name: string): boolean;
  estimateOf(cells: readonly Cell[]): Promise<ImageEstimate>;
  readonly signal: AbortSignal;
  readonly failFast: boolean;
  readonly events: RunEvents;
  /** Seconds. */
  clock(): number;
}
