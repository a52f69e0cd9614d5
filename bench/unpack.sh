# shellcheck shell=bash
# Sourced by bench/gpu.sh and bench/paper.sh: where there is a folder .gpu-kit, unpacks what bench/pack.sh put into it, once, and
# sets
#   live   the folder where it lies then, GPU_KIT_DIR or /tmp/gpu-kit-live; what is there from before is used, so that the parts
#          of .gpu-kit may come one after another
#   NODE   its Node.js, unless NODE is set; not set where there is none
live=${GPU_KIT_DIR:-/tmp/gpu-kit-live}

unxz_to() { # Python reads it where xz is not installed
  xz -dc "$1" > "$2.part" 2>/dev/null || python3 -c 'import lzma, shutil, sys
with lzma.open(sys.argv[1]) as source, open(sys.argv[2], "wb") as target: shutil.copyfileobj(source, target)' "$1" "$2.part"
  mv "$2.part" "$2"
}

unpack_kit() {
  local webgpu=$live/node_modules/webgpu
  mkdir -p "$webgpu/dist/linux-x64"
  ! is_fresh node.xz "$live/node" || { unxz_to .gpu-kit/node.xz "$live/node" && chmod +x "$live/node"; }
  ! is_fresh dawn.node.xz "$webgpu/dist/linux-x64/dawn.node" ||
    unxz_to .gpu-kit/dawn.node.xz "$webgpu/dist/linux-x64/dawn.node"
  [ ! -f .gpu-kit/webgpu.js ] || cp .gpu-kit/webgpu.js "$webgpu/index.js"
  [ ! -f .gpu-kit/webgpu.json ] || cp .gpu-kit/webgpu.json "$webgpu/package.json"
  [ ! -f .gpu-kit/webgpu.mjs ] || cp .gpu-kit/*.mjs "$live/"
  ! is_fresh command.tar.xz "$live/command" || unpack_command
  # the loader where there is none, for the whole system where that may be done
  local PATH=$PATH:/usr/sbin:/sbin
  if ! ldconfig -p | grep -q libvulkan.so.1; then
    local root=/
    [ -w /usr/lib ] || { root=$live/system && export LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}; }
    mkdir -p "$root"
    for deb in .gpu-kit/*.deb; do [ ! -f "$deb" ] || dpkg -x "$deb" "$root"; done
    ldconfig 2>/dev/null || true
  fi
  # where containers keep NVIDIA's driver
  local driver=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
  if [ -z "${VK_DRIVER_FILES:-}" ] && [ -f "$driver" ]; then export VK_DRIVER_FILES=$driver VK_ICD_FILENAMES=$driver; fi
  export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
  [ ! -x "$live/node" ] || NODE=${NODE:-$live/node}
}

unpack_command() {
  rm -rf "$live/command"
  unxz_to .gpu-kit/command.tar.xz "$live/command.tar" && tar -C "$live" -xf "$live/command.tar" && rm "$live/command.tar"
  touch "$live/command"
}

is_fresh() { [ -f ".gpu-kit/$1" ] && ! [ "$2" -nt ".gpu-kit/$1" ]; }

if [ -d .gpu-kit ]; then unpack_kit; fi
