#!/bin/bash
# A Slurm job array: each task computes one shard of a suite.
#
#   sbatch --array=1-8 docs/cluster/slurm-array.sh paper
#
# Submit it from the checkout, which the nodes must see. Sending the same line again goes on where tasks were stopped.
#SBATCH --job-name=cambium
#SBATCH --array=1-3
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=cambium-%A_%a.log
# two minutes before the time is up the run is asked to stop, as by ^C
#SBATCH --signal=B:INT@120

suite=${1:-paper}
shard=$SLURM_ARRAY_TASK_ID
count=$SLURM_ARRAY_TASK_COUNT
name=$(basename "$suite" | sed 's/\.[a-z.]*$//')

# exec: the signals of Slurm reach the run itself
exec "${NODE:-node_modules/.bin/node}" --conditions=source packages/cli/src/main.ts \
  run "$suite" --shard "$shard/$count" -o "${OUT:-runs}/$name.shard-$shard-of-$count"
