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
scripts=$root/tests/bench/peers

say() { printf 'compare: %s\n' "$*" >&2; }

# The peers take the torch that the library is built with, where that is a wheel for this Python.
lend_torch() {
  local torch_dir packages
  torch_dir=$(sed -n 's/^Torch_DIR:[^=]*=//p' "$build/CMakeCache.txt")
  packages=${torch_dir%/torch/share/cmake/Torch}
  [ -e "$packages/torch/__init__.py" ] || return 0
  [ "$(basename "$(dirname "$packages")")" = "$(basename "$(dirname "$1")")" ] || return 0
  echo "$packages" >"$1/torch_of_the_build.pth"
}

make_peers() {
  say "making the peers' environment in $peers (once)"
  python3 -m venv "$peers"
  lend_torch "$("$peers/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
  "$peers/bin/python" -m pip install --quiet ${RLHF_TORCH_INDEX:+--extra-index-url "$RLHF_TORCH_INDEX"} \
    -r "$scripts/requirements.txt" >&2
}

bash "$root/cmake/build.sh" "$build" bench >&2
{ [ -x "$peers/bin/python" ] && "$peers/bin/python" "$scripts/installed.py"; } || make_peers
"$peers/bin/python" "$scripts/installed.py"

exec python3 "$root/tests/bench/compare.py" --programs "$build/tests/bench" --python "$peers/bin/python" \
  --work "$build/peers-work" "$@"
