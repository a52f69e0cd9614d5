import type { Classifier } from '../src/types.ts';
import { scoreCam } from './measure-form.ts';

/** What many maps one after another did to memory and time. */
export interface Flatness {
  readonly maps: number;
  /** Tried for each. */
  readonly channels: number;
  /** Median milliseconds of a map in the first and in the last tenth. */
  readonly msFirst: number;
  readonly msLast: number;
  /** Of the process after the first and after the last tenth, 10⁶ bytes, collected before. */
  readonly rssFirstMB: number;
  readonly rssLastMB: number;
}

/** Makes many Score-CAM maps of a few channels. */
export async function measureFlatness(
  classifier: Classifier,
  { maps, channels, batch }: { readonly maps: number; readonly channels: number; readonly batch: number },
): Promise<Flatness> {
  const tenth = Math.ceil(maps / 10);
  const times: number[] = [];
  const marks: number[] = [];
  for (let map = 0; map < maps; map++) {
    const start = performance.now();
    await scoreCam(classifier, { channels, batch });
    times.push(performance.now() - start);
    if (map !== tenth - 1 && map !== maps - 1) continue;
    globalThis.gc?.();
    marks.push(process.memoryUsage().rss / 1e6);
  }
  const [first, last] = [marks[0], marks[marks.length - 1]];
  return {
    maps,
    channels,
    msFirst: median(times.slice(0, tenth)),
    msLast: median(times.slice(-tenth)),
    rssFirstMB: first,
    rssLastMB: last,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
