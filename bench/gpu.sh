#!/usr/bin/env bash
# Measures Cambium and what a user would pick instead, one after the other on one GPU, and lays both files side by side.
#
#   bash bench/gpu.sh [FOLDER] [flags of packages/cam/bench/webgpu.ts]        FOLDER: bench/results/NAME-OF-THE-GPU unless said
#
# Cambium runs on the Node.js that is there, from source; or, where a folder .gpu-kit holds a Node.js with a bundle of the
# benchmark (run.sh, webgpu.mjs), on that, so that the machine needs neither Node.js nor npm nor a network. The peers run where
# python3 has PyTorch and the file peers.npz is there (bench/peers/README.md says how it is made). What cannot run is said, and
# the exit code is then 1; what ran keeps its file, and what is run again loses its earlier one first.
#
# PEERS, NODE and PYTHON name another peers.npz, another node and another python3; PEER_FLAGS are handed to bench/peers/run.py.
# COMMIT tells the commit where there is no git checkout. LIMIT is the most seconds for each half (no limit unless said): rows
# that are there by then are kept. Where commands are cut off after ten minutes and only one folder comes back:
#
#   LIMIT=280 PEER_FLAGS='--compile-mode default --compiled-batches 256 --map-batches 256' bash bench/gpu.sh "$FOLDER"
set -uo pipefail
cd "$(dirname "$0")/.."
folder=${1:-}
case $folder in -*) folder= ;; '') ;; *) shift ;; esac
if [ -z "$folder" ]; then
  gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1 | tr 'A-Z ' 'a-z-')
  folder=bench/results/${gpu:-gpu}
fi
mkdir -p "$folder"
commit=${COMMIT:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
[ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || commit=$commit+
limit=${LIMIT:-0}
failed=0

if [ -f .gpu-kit/run.sh ]; then
  cambium() { timeout "$limit" bash .gpu-kit/run.sh webgpu.mjs "$@"; }
elif command -v "${NODE:-node}" >/dev/null; then
  cambium() { timeout "$limit" "${NODE:-node}" --conditions=source packages/cam/bench/webgpu.ts "$@"; }
else
  cambium() { echo 'bench/gpu.sh: no Node.js; put one into .gpu-kit, or install it' >&2; return 1; }
fi
rm -f "$folder/cambium.json" "$folder/table.md"
cambium --commit "$commit" --json "$folder/cambium.json" "$@" || failed=1

python=${PYTHON:-python3}
peers=${PEERS:-peers.npz}
if [ ! -f "$peers" ]; then
  echo "bench/gpu.sh: the peers were not run: there is no $peers; make it with bench/peers/export.ts" >&2
  failed=1
elif ! "$python" -c 'import torch, numpy' 2>/dev/null; then
  echo "bench/gpu.sh: the peers were not run: $python has no PyTorch and NumPy" >&2
  failed=1
else
  rm -f "$folder/peers.json"
  # shellcheck disable=SC2086 # several flags
  timeout "$limit" "$python" bench/peers/run.py --input "$peers" --json "$folder/peers.json" ${PEER_FLAGS:-} || failed=1
fi

if command -v "$python" >/dev/null; then
  "$python" bench/table.py "$folder" | tee "$folder/table.md" || failed=1
else
  echo "bench/gpu.sh: no table: there is no $python" >&2
  failed=1
fi
exit $failed
