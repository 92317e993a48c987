#!/usr/bin/env bash
# Brings what is missing, builds everything and runs every fast test.
#
#   bash tests/run.sh [ctest options]     for instance: bash tests/run.sh -R unit_objective
#
#   RLHF_BUILD   build folder, by default `build` at the top
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${RLHF_BUILD:-$root/build}

bash "$root/cmake/build.sh" "$build"

# OpenMP's threads would spin while they wait, and take the core that another test needs.
export OMP_WAIT_POLICY=PASSIVE
exec ctest --test-dir "$build" -L fast -j "$(nproc)" --output-on-failure "$@"
