#!/usr/bin/env bash
# A virtual environment of Python with the packages that a requirements file names, made once and
# kept. It takes the torch that the library is built with, where that is a wheel for this Python.
#
#   bash cmake/python_environment.sh BUILD_FOLDER ENVIRONMENT REQUIREMENTS   prints its interpreter
#
#   RLHF_TORCH_INDEX   one more Python package index, to take a torch wheel from
set -euo pipefail
build=$1
environment=$2
requirements=$3

say() { printf 'python: %s\n' "$*" >&2; }

lend_torch() {
  local torch_dir packages
  torch_dir=$(sed -n 's/^Torch_DIR:[^=]*=//p' "$build/CMakeCache.txt")
  packages=${torch_dir%/torch/share/cmake/Torch}
  [ -e "$packages/torch/__init__.py" ] || return 0
  [ "$(basename "$(dirname "$packages")")" = "$(basename "$(dirname "$1")")" ] || return 0
  echo "$packages" >"$1/torch_of_the_build.pth"
}

# Fails unless the environment has each "name==version" line.
complete() {
  [ -x "$environment/bin/python" ] && "$environment/bin/python" - "$requirements" <<'PYTHON'
import importlib.metadata, pathlib, sys

for line in pathlib.Path(sys.argv[1]).read_text().splitlines():
    if line.startswith("#"):
        continue
    name, wanted = line.split("==")
    try:
        version = importlib.metadata.version(name).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        version = "none"
    if version != wanted:
        sys.exit(f"{name}: {wanted} is wanted, {version} is here")
PYTHON
}

if ! complete 2>/dev/null; then
  say "making the environment $environment (once)"
  python3 -m venv "$environment"
  lend_torch "$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
  "$environment/bin/python" -m pip install --quiet ${RLHF_TORCH_INDEX:+--extra-index-url "$RLHF_TORCH_INDEX"} \
    -r "$requirements" >&2
  complete
fi
echo "$environment/bin/python"
