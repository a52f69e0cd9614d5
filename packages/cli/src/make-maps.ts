import { type ExplainJob, explainPictures, type Finding } from './explain-pictures.ts';
import type { Ui } from './ui.ts';

/**
 * Makes the maps of a job and hands over each as it is finished, with a line that shows how far the work is; when that
 * line is gone, a remark for each map that came out constant.
 *
 * @throws the signal's reason when the job is aborted, and whatever `keep` throws
 */
export async function makeMaps(job: ExplainJob, ui: Ui, keep: (finding: Finding) => Promise<void>): Promise<void> {
  const constant: Finding[] = [];
  for await (const finding of withProgress(job, ui)) {
    await keep(finding);
    if (finding.explanation.degenerate) constant.push(finding);
  }
  for (const { picture, layer, technique } of constant) {
    ui.note(constantMap(picture.name, layer.name, technique.title));
  }
}

/** What is said of a map that came out constant. */
export function constantMap(image: string, layer: string, technique: string): string {
  return `${image} @ ${layer}, ${technique}: the map came out constant; it is all zeros and explains nothing.`;
}

async function* withProgress(job: ExplainJob, ui: Ui): AsyncGenerator<Finding> {
  const count = job.pictures.length * job.layers.length * job.techniques.length;
  using progress = ui.progress(1);
  yield* explainPictures({
    ...job,
    onProgress: ({ done, total, task, map }) =>
      progress.update({ done: done / total, task, count: `map ${map}/${count}` }),
  });
}
