#!/usr/bin/env bash
# Packs into .gpu-kit what bench/gpu.sh and bench/paper.sh need on a machine with a GPU (Linux on x86-64, with Python 3) that has
# neither Node.js nor npm nor a network.
#
#   bash bench/pack.sh           Node.js, Dawn, the Vulkan loader and the benchmark, for bench/gpu.sh; two minutes the first time
#   bash bench/pack.sh command   the command cambium with all that it depends on, for bench/paper.sh; may be carried apart
#
# What is there already is left as it is but for the benchmark and the command, which are made anew. At the end it says what the
# whole comes to with the files of the checkout and peers.npz, as machines may take only so much.
set -euo pipefail
cd "$(dirname "$0")/.."
kit=.gpu-kit
pnpm='npx --yes pnpm@12.21.0'
mkdir -p "$kit"

squeezed() { xz -T1 --x86 --lzma2=preset=9e,dict=128MiB -c "$1" > "$2.part" && mv "$2.part" "$2"; } # BCJ: branches of x86 first

pack_benchmark() {
  local node=node_modules/node/bin/node dawn=node_modules/webgpu/dist/linux-x64/dawn.node stripped
  stripped=$(mktemp)
  # the version of the project: older ones lack what it calls
  [ -s "$kit/node.xz" ] || { strip -o "$stripped" "$node"; squeezed "$stripped" "$kit/node.xz"; }
  [ -s "$kit/dawn.node.xz" ] || { strip -o "$stripped" "$dawn"; squeezed "$stripped" "$kit/dawn.node.xz"; }
  rm "$stripped"
  cp node_modules/webgpu/index.js "$kit/webgpu.js"
  "$node" -p 'const { name, version } = require("webgpu/package.json"); JSON.stringify({ name, version, type: "module", exports: "./index.js" })' \
    > "$kit/webgpu.json"
  ls "$kit"/libvulkan1_*.deb >/dev/null 2>&1 ||
    (cd "$kit" && apt-get download libvulkan1 libegl1 libglvnd0 libgl1 libglx0 libgles2 >/dev/null 2>&1) ||
    echo 'bench/pack.sh: no Vulkan loader (libvulkan1 by apt-get download); the machine must have its own' >&2
  rm -f "$kit"/*.mjs
  node_modules/.bin/tsdown --config bench/tsdown.config.ts --logLevel warn
}

pack_command() {
  local folder
  folder=$(mktemp -d)
  $pnpm build >/dev/null
  $pnpm --filter @cambium/cli deploy --prod --legacy "$folder/command" >/dev/null
  tar -C "$folder" --exclude='*/bin/napi-v6/darwin' --exclude='*/bin/napi-v6/win32' --exclude='*/bin/napi-v6/linux/arm64' \
    --exclude='*.map' --exclude='*.d.ts' --exclude='*.d.cts' --exclude='*.d.mts' --exclude='*.md' -c command |
    xz -T1 --x86 --lzma2=preset=9e,dict=128MiB -c > "$kit/command.tar.xz.part"
  mv "$kit/command.tar.xz.part" "$kit/command.tar.xz"
  rm -r "$folder"
}

case ${1:-benchmark} in
benchmark) pack_benchmark ;;
command) pack_command ;;
*) sed -n '2,9p' "$0"; exit 2 ;;
esac

mebibytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MiB", bytes / 1048576 }'; }
checkout=$(git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || stat -c %s "$file"
done | awk '{ sum += $1 } END { print sum + 0 }')
carried=$(find "$kit" peers.npz -type f -printf '%s\n' 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }')
find "$kit" -type f -printf '%s %f\n' | sort -rn | head -5 | while read -r bytes name; do echo "  $(mebibytes "$bytes") $name"; done
echo "$(mebibytes "$checkout") checkout + $(mebibytes "$carried") .gpu-kit and peers.npz = $(mebibytes $((checkout + carried)))"
