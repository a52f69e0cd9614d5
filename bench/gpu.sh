#!/usr/bin/env bash
# Measures Cambium and what a user would pick instead, one after the other on one GPU, and lays both files side by side.
#
#   bash bench/gpu.sh [FOLDER] [flags of packages/cam/bench/webgpu.ts]        FOLDER: bench/results/NAME-OF-THE-GPU unless said
#
# Cambium runs on the Node.js that is there, from source; or, where bench/pack.sh has filled .gpu-kit, on that, so that the machine
# needs neither Node.js nor npm nor a network. The peers run where python3 has PyTorch and the file peers.npz is there
# (bench/peers/README.md says how it is made). What cannot run is said, and the exit code is then 1; what ran keeps its file, and
# what is run again loses its earlier one first.
#
# PEERS, NODE and PYTHON name another peers.npz, another node and another python3; PEER_FLAGS are handed to bench/peers/run.py.
# COMMIT tells the commit where there is no git checkout. LIMIT is the most seconds for Cambium, PEER_LIMIT for the peers (no limit
# unless said; the same unless said): for the last 20 nothing more is begun, then what is still under way is ended; rows that are
# there by then are kept, the others say why they are not. bench/README.md has the flags for a machine that is lent for minutes.
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
failed=0
limited() { # SECONDS COMMAND…: the command, told when to begin nothing more, and ended when the time is over; 0 is no limit
  local most=$1 begin=()
  shift
  [ "$most" -eq 0 ] || begin=(--limit "$((most > 40 ? most - 20 : most / 2))")
  timeout -k 5 "$most" "$@" "${begin[@]}"
  local code=$?
  [ $code -ne 124 ] && [ $code -ne 137 ] || echo "bench/gpu.sh: ended after $most s: $*" >&2
  [ $code -eq 0 ] || failed=1
}

# shellcheck source=bench/unpack.sh
. bench/unpack.sh
node=${NODE:-node}
if [ -f .gpu-kit/webgpu.mjs ] && [ -x "$live/node" ]; then
  cambium=("$node" "$live/webgpu.mjs")
elif command -v "$node" >/dev/null; then
  cambium=("$node" --conditions=source packages/cam/bench/webgpu.ts)
else
  cambium=()
fi
rm -f "$folder/cambium.json" "$folder/table.md"
if [ ${#cambium[@]} -eq 0 ]; then
  echo 'bench/gpu.sh: Cambium was not run: there is no Node.js; fill .gpu-kit by bench/pack.sh, or install it' >&2
  failed=1
else
  limited "${LIMIT:-0}" "${cambium[@]}" --commit "$commit" --json "$folder/cambium.json" "$@"
fi

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
  limited "${PEER_LIMIT:-${LIMIT:-0}}" "$python" bench/peers/run.py --input "$peers" --json "$folder/peers.json" ${PEER_FLAGS:-}
fi

if command -v "$python" >/dev/null; then
  "$python" bench/table.py "$folder" | tee "$folder/table.md" || failed=1
else
  echo "bench/gpu.sh: no table: there is no $python" >&2
  failed=1
fi
exit $failed
