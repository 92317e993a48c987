#!/usr/bin/env bash
# Measures rlhf beside TRL, transformers and CTranslate2, and writes results.json and RESULTS.md.
# The whole table takes about 40 minutes on two cores that do nothing else.
#
#   bash tests/bench/compare.sh [--jobs sft ppo] [--sizes tiny] [--threads 1] [--dtypes float32] [--pairs 5]
#
# With options, only those rows are measured again.
#
#   RLHF_BUILD   build folder, by default `build` at the top
#   RLHF_PEERS   the peers' virtual environment, made if it is not there; by default `peers` in the build folder
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${RLHF_BUILD:-$root/build}
peers=${RLHF_PEERS:-$build/peers}

bash "$root/cmake/build.sh" "$build" bench >&2
python=$(bash "$root/cmake/python_environment.sh" "$build" "$peers" "$root/tests/bench/peers/requirements.txt")

exec python3 "$root/tests/bench/compare.py" --programs "$build/tests/bench" --python "$python" \
  --work "$build/peers-work" "$@"
