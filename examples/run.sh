#!/usr/bin/env bash
# The main job: brings what is missing, builds it, trains a language model to say "I don't know",
# and says where the report is.
#
#   bash examples/run.sh [options]     for instance --seed 2, --quick; --help lists them
#
#   RLHF_BUILD   build folder, by default `build` at the top
#   RLHF_OUT     where results go, by default `out/honesty` at the top
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${RLHF_BUILD:-$root/build}
out=${RLHF_OUT:-$root/out/honesty}

bash "$root/cmake/build.sh" "$build" honesty

mkdir -p "$out"
export OMP_WAIT_POLICY=PASSIVE
"$build/examples/honesty" --out "$out" "$@"
if [ -f "$out/report.html" ]; then
  printf '\nReport: %s\n' "$out/report.html"
fi
