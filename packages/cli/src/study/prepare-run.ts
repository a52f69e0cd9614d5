import { UsageError } from '../errors.ts';
import { type Cell, cellsOf, selectCells } from './cells.ts';
import { type Estimator, openEstimator } from './estimate.ts';
import { loadSuite } from './load-suite.ts';
import { type RunFlags, readRunFlags } from './run-flags.ts';
import { cellsOfShard, type Shard } from './shards.ts';
import { resolveStudy, type Study } from './study.ts';

/** A study with the cells that a command line asks for. */
export interface PreparedRun {
  readonly study: Study;
  /** Of the whole study. */
  readonly all: readonly Cell[];
  /** Of this shard. */
  readonly ofShard: readonly Cell[];
  /** Those of the shard that `--only` lets through. */
  readonly wanted: readonly Cell[];
  readonly shard: Shard;
  readonly estimator: Estimator;
  /** Seconds that the run may take. */
  readonly budget: number | undefined;
  readonly folder: string;
}

/**
 * Finds out what a command line asks for: the suite, its study, and the cells of it.
 *
 * @throws UsageError, ModelError or NameError for what cannot be done as asked
 */
export async function prepareRun(
  source: string,
  flags: RunFlags,
  { root, models }: { readonly root: string | undefined; readonly models: string | undefined },
): Promise<PreparedRun> {
  const { only, shard, budget, study: asked } = readRunFlags(flags);
  const loaded = await loadSuite(source, root);
  const study = await resolveStudy(flags.full ? withEveryChannel(loaded) : loaded, asked, models);
  const estimator = openEstimator(study);
  const all = cellsOf(study);
  const ofShard = await cellsOfShard(all, shard, { estimator, input: study.model.graph.input.shape });
  const wanted = selectCells(ofShard, only);
  if (wanted.length === 0 && ofShard.length > 0) {
    const { technique, layer, metric } = ofShard[0];
    throw new UsageError(
      `--only ${only.join(' ')} fits none of the ${ofShard.length} cells; they are named like ${technique.id}@${layer.folder}:${metric.name}.`,
    );
  }
  const folder =
    flags.out ?? `runs/${study.suite.name}${shard.count > 1 ? `.shard-${shard.index}-of-${shard.count}` : ''}`;
  return { study, all, ofShard, wanted, shard, estimator, budget, folder };
}

/** A suite with Score-CAM as its authors run it, wherever it is run. */
function withEveryChannel(loaded: Awaited<ReturnType<typeof loadSuite>>): typeof loaded {
  const methods = loaded.suite.methods.map((entry) =>
    entry.method === 'score-cam' ? { ...entry, options: { variant: 'author' } } : entry,
  );
  return { ...loaded, suite: { ...loaded.suite, methods } };
}
