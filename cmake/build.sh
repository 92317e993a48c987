#!/usr/bin/env bash
# Setup, configure and build. What tests/run.sh and examples/run.sh have in common.
#
#   bash cmake/build.sh BUILD_FOLDER [target...]
#
#   RLHF_JOBS   compilers at a time (at most 2 unless set: LibTorch's headers take 1.5 GB each)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$1
targets=("${@:2}")
cores=$(nproc)
jobs=${RLHF_JOBS:-$((cores < 2 ? cores : 2))}

torch_dir=$(bash "$root/cmake/setup.sh" "$build")
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTorch_DIR="$torch_dir"
cmake --build "$build" -j "$jobs" --target "${targets[@]:-all}"
