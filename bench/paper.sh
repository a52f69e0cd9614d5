#!/usr/bin/env bash
# Goes on with the suite paper on a GPU where runs/paper stands, for a limited time: first Score-CAM's continuity, then all others.
# Non-sensitivity comes with those: the sweep of an image serves every method and layer, but only within one run.
#
#   bash bench/paper.sh FOLDER [flags of cambium run]        FOLDER gets results.jsonl, maps.jsonl, run.json and paper.tar.xz
#
# The command runs on the Node.js that is there, from source; or, where bench/pack.sh has filled .gpu-kit, from there. paper.tar.xz
# is the run's folder, to be unpacked in runs/ of any checkout, where `cambium run paper` goes on and `cambium report` reports.
#
# LIMIT is the most seconds that are computed (240 unless said). DEVICE and PRECISION are gpu and f32 unless said; cells of another
# precision are other cells. Before it begins the device is held to ONNX Runtime on one image. The exit code is 0 when all cells are
# done, 3 when the time was over first, 1 when something failed.
set -uo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,12p' "$0"; exit 2; }
folder=$1
shift
mkdir -p "$folder"
end=$((SECONDS + ${LIMIT:-240}))

# shellcheck source=bench/unpack.sh
. bench/unpack.sh
node=${NODE:-node}
if [ -d .gpu-kit ] && [ -d "$live/command" ] && [ -x "$live/node" ]; then
  ln -sfn "$PWD/models" "$live/models" # the command looks for them in the folders above its own
  ln -sfn "$PWD/test-fixtures" "$live/test-fixtures"
  cambium=("$node" "$live/command/dist/main.js")
elif command -v "$node" >/dev/null && [ -d node_modules ]; then
  cambium=("$node" --conditions=source packages/cli/src/main.ts)
else
  echo 'bench/paper.sh: there is no command cambium; fill .gpu-kit by bench/pack.sh and bench/pack.sh command' >&2
  exit 1
fi

code=3
go_on() { # with the cells that the arguments choose, while there is time
  [ $((end - SECONDS)) -gt 0 ] || { code=3; return; }
  timeout -k 5 $((end - SECONDS + 30)) "${cambium[@]}" run paper --device "${DEVICE:-gpu}" --precision "${PRECISION:-f32}" \
    --no-report -o runs/paper --budget $((end - SECONDS))s "$@"
  code=$?
}
go_on --only 'score-cam*@*:continuity' "$@"
[ "$code" -ne 0 ] || go_on "$@"

for name in results.jsonl maps.jsonl run.json; do
  [ ! -f "runs/paper/$name" ] || cp "runs/paper/$name" "$folder/"
done
tar -C runs --exclude=paper/overlays --exclude=paper/run.lock -cJf "$folder/paper.tar.xz" paper || code=1
exit $code
