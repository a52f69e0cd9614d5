import { thisMachine } from '../machine.ts';
import { versions } from '../versions.ts';
import { gitCommit } from './git-commit.ts';
import { FORMAT, type ImageRecord, type RunRecord } from './records.ts';
import type { SessionRequest } from './session.ts';
import { studyRecord } from './suite-record.ts';
import type { Tally } from './working-classifier.ts';

/** What a session has used so far. */
interface Meter {
  readonly total: Tally;
  /** Seconds in which the classifier was answering. */
  computed(): number;
  /** Seconds since the command began. */
  elapsed(): number;
}

/** The run's record, as it grows. */
export interface Book {
  record(ended?: boolean): RunRecord;
  /** Cells of the shard without a row. */
  left(): number;
  /** Cells whose row is an error. */
  failed(): number;
  isRecorded(image: string): boolean;
  save(ended?: boolean): Promise<void>;
  /** @returns the row */
  count<Row extends { readonly key: string; readonly error?: string }>(row: Row): Row;
  addImage(image: ImageRecord): Promise<void>;
}

/**
 * Opens the record where an earlier session left it. Of another suite only what its cells cost is taken over, and that
 * only while some of them serve this one.
 */
export async function openBook(request: SessionRequest, meter: Meter): Promise<Book> {
  const { run, folder, surroundings, command, checks, places, loop, adapter } = request;
  const { study, ofShard, shard } = run;
  const part = studyRecord(study);
  const earlier = folder.record?.suiteKey === part.suiteKey ? folder.record : undefined;
  const sameLabels = JSON.stringify(earlier?.model.labels) === JSON.stringify(part.model.labels);
  const names = [...new Set(ofShard.map(({ image }) => image.name))];
  const images = new Map<string, ImageRecord>((sameLabels ? earlier?.images : [])?.map((image) => [image.name, image]));
  const done = new Set(ofShard.filter(({ key }) => folder.finished.has(key)).map(({ key }) => key));
  const failures = new Set(ofShard.filter(({ key }) => folder.failed.has(key)).map(({ key }) => key));
  const git = await gitCommit(surroundings.root);
  const costs = done.size > 0 ? folder.record : earlier;
  const started = costs?.started ?? new Date().toISOString();
  let lastSaved = Number.NEGATIVE_INFINITY;
  let saving = Promise.resolve();
  let worked = false; // to look at a finished run costs it nothing

  const left = () => ofShard.length - done.size - failures.size;
  const record = (ended = false): RunRecord => ({
    format: FORMAT,
    ...part,
    images: names.flatMap((name) => images.get(name) ?? []),
    device: request.timed.classifier.device,
    ...(study.precision === 'f32' ? {} : { precision: study.precision }),
    ...(adapter === undefined ? {} : { adapter }),
    versions: { ...versions() },
    machine: thisMachine(),
    shard,
    cells: ofShard.length,
    ...(git && { git }),
    command,
    started,
    ...(ended && { ended: (worked ? undefined : costs?.ended) ?? new Date().toISOString() }),
    complete: left() === 0,
    checks: [...checks],
    ...(places.length > 0 && { places: [...places] }),
    ...(loop && { loop }),
    spent: worked ? spentBy(meter, costs?.spent) : (costs?.spent ?? spentBy(meter, undefined)),
  });

  // one after the other, so that the later record is the one that stays
  function save(ended?: boolean): Promise<void> {
    const saved = saving.then(() => folder.save(record(ended)));
    saving = saved.catch(() => undefined);
    return saved;
  }

  return {
    record,
    left,
    failed: () => failures.size,
    isRecorded: (name) => images.has(name),
    save,
    count(row) {
      worked = true;
      failures.delete(row.key);
      (row.error === undefined ? done : failures).add(row.key);
      return row;
    },
    // of thousands of images not each writes the whole record again
    async addImage(image) {
      worked = true;
      images.set(image.name, image);
      if (names.length > 100 && meter.elapsed() - lastSaved < 10) return;
      lastSaved = meter.elapsed();
      await save();
    },
  };
}

function spentBy({ total, computed, elapsed }: Meter, before: RunRecord['spent'] | undefined): RunRecord['spent'] {
  const { seconds = 0, classifier: within = 0, forwards = 0 } = before ?? {};
  return {
    seconds: seconds + elapsed(),
    classifier: within + computed(),
    forwards: forwards + total.forwards,
  };
}
