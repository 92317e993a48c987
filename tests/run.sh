#!/usr/bin/env bash
# Brings what is missing, builds everything and runs every fast test.
#
#   bash tests/run.sh [--with-python] [ctest options]     for instance: bash tests/run.sh -R unit_objective
#
#   --with-python   also brings Python's transformers and tokenizers, and the tests beside them run
#
#   RLHF_BUILD   build folder, by default `build` at the top
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${RLHF_BUILD:-$root/build}

with_python=
if [ "${1:-}" = --with-python ]; then
  with_python=yes
  shift
fi

bash "$root/cmake/build.sh" "$build"

if [ -n "$with_python" ]; then
  RLHF_PYTHON=$(bash "$root/cmake/python_environment.sh" "$build" "$build/python" "$root/tests/peer/requirements.txt")
  export RLHF_PYTHON
fi

# OpenMP's threads would spin while they wait, and take the core that another test needs.
export OMP_WAIT_POLICY=PASSIVE
exec ctest --test-dir "$build" -L fast -j "$(nproc)" --output-on-failure "$@"
