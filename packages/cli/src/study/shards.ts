import type { Shape } from '@cambium/gpu-kernels';
import { type AnyMetric, metrics } from '@cambium/metrics';
import type { Cell } from './cells.ts';
import type { Estimator } from './estimate.ts';
import type { Study } from './study.ts';

/** Which part of a study this is. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

/** The whole. */
export const WHOLE: Shard = { index: 1, count: 1 };

/**
 * The cells of one shard. Cells are cut, in the order of work, into `count` runs of nearly equal cost; what shares a
 * sweep stays together, and what shares an image mostly does. Every process that cuts the same study cuts it alike.
 */
export async function cellsOfShard(
  cells: readonly Cell[],
  { index, count }: Shard,
  { estimator, input }: { readonly estimator: Estimator; readonly input: Shape },
): Promise<Cell[]> {
  if (count === 1) return [...cells];
  const bundles = await Promise.all([...groupBy(cells, ({ image }) => image.name).values()].map(ofImage));
  const all = bundles.flat();
  const total = all.reduce((sum, { cost }) => sum + cost, 0);
  let before = 0;
  return all.flatMap((bundle) => {
    const middle = (before + bundle.cost / 2) / total;
    before += bundle.cost;
    return Math.floor(middle * count) === index - 1 ? bundle.cells : [];
  });

  async function ofImage(own: readonly Cell[]): Promise<{ cells: Cell[]; cost: number }[]> {
    const estimate = await estimator.ofImage(own);
    const forwards = (key: string) => (estimate.cells.get(key)?.forwards ?? 0) + LEAST;
    return [...groupBy(own, (cell) => bundleOf(cell, input)).values()].map((bundle) => ({
      cells: bundle,
      cost: bundle.reduce((sum, { key }) => sum + forwards(key), 0),
    }));
  }
}

/** The study with the images of these cells alone. */
export function imagesOf(study: Study, cells: readonly Cell[]): Study['images'] {
  const used = new Set(cells.map(({ image }) => image));
  return study.images.filter((image) => used.has(image));
}

// a metric that declares a shared sweep is not cut within an image: the sweep would run in both shards
function bundleOf({ metric, layer }: Cell, input: Shape): string {
  const { cost }: AnyMetric = metrics[metric.name];
  const shares = Object.keys(cost(metric.options, input).shared).some((key) => key !== 'image');
  return shares ? metric.name : `${metric.name} ${layer.value}`;
}

/** In the order in which their keys come first. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

/** Cost of a cell that classifies nothing, in forward passes: it is not free. */
const LEAST = 1;
