import { constantMap } from '../make-maps.ts';
import { type ImageEstimate, NOTHING, sum, type Work } from './estimate.ts';
import type { MapRow, ResultRow } from './records.ts';
import type { RunEvents, RunStep } from './run-request.ts';
import type { SessionRequest } from './session.ts';
import { groupBy } from './shards.ts';

/**
 * Tells how a run gets on: a progress line for people, or with `json` each event as a line of JSON on standard output.
 */
export async function openSpeaker({
  run,
  folder,
  surroundings: { ui },
  json,
  quiet,
}: SessionRequest): Promise<Disposable & { readonly events: Omit<RunEvents, 'onImage'> }> {
  const total = await workLeft(run, (key) => folder.finished.has(key));
  const progress = quiet || json ? undefined : ui.progress(total.forwards);
  const finished = run.wanted.filter(({ key }) => folder.finished.has(key)).length;
  const steps = new Map<string, RunStep>(); // that are under way, by image; the one begun last at the end
  const constant: Omit<MapRow, 'coarse'>[] = [];
  let before = 0;
  let cells = finished;
  const show = () =>
    progress?.update({
      done: [...steps.values()].reduce((sum, { planned, done }) => sum + Math.min(planned, done()), before),
      task: [...steps.values()].at(-1)?.task ?? '',
      count: `cell ${Math.min(cells + 1, run.wanted.length)}/${run.wanted.length}`,
    });
  const ticking = progress && setInterval(show, 500);
  ticking?.unref();
  const titleOf = (id: string) => run.study.techniques.find((technique) => technique.id === id)?.title ?? id;
  const say = (event: string, content: object) => json && ui.print(JSON.stringify({ event, ...content }));
  say('start', { folder: folder.path, cells: run.wanted.length, finished, forwards: total.forwards });
  return {
    events: {
      onStep(step) {
        before += steps.get(step.image)?.planned ?? 0;
        steps.delete(step.image);
        steps.set(step.image, step);
        show();
      },
      onMap(row: Omit<MapRow, 'coarse'>) {
        say('map', row);
        if (row.degenerate) constant.push(row);
      },
      onCell(row: ResultRow) {
        cells++;
        say('cell', row);
        if (row.error !== undefined && !json) {
          ui.fail(`${row.metric} of ${row.technique} at ${row.layer}, image ${row.image}: ${row.error}`);
        }
      },
    },
    [Symbol.dispose]: () => {
      clearInterval(ticking);
      progress?.[Symbol.dispose]();
      if (json || quiet) return;
      for (const { image, layer, technique } of constant) ui.note(constantMap(image, layer, titleOf(technique)));
    },
  };
}

/** What the cells without a row will cost. */
async function workLeft(run: SessionRequest['run'], isDone: (key: string) => boolean): Promise<Work> {
  let total = NOTHING;
  for (const own of groupBy(run.wanted, ({ image }) => image.name).values()) {
    if (own.every(({ key }) => isDone(key))) continue;
    const estimate: ImageEstimate = await run.estimator.ofImage(own);
    for (const { work } of estimate.maps) total = sum(total, work);
    for (const [key, work] of estimate.cells) if (!isDone(key)) total = sum(total, work);
  }
  return total;
}
