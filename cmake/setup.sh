#!/usr/bin/env bash
# Brings what the build needs and the machine lacks: Debian packages, and LibTorch.
#
#   bash cmake/setup.sh [build folder]
#
# Prints one line, the folder that holds TorchConfig.cmake (for -DTorch_DIR=...); all else goes to
# the error stream. Running it again costs a fraction of a second.
#
#   CMAKE_PREFIX_PATH, Torch_DIR   a LibTorch >= 2.7 of your own: nothing is downloaded
#   RLHF_TORCH_INDEX               the Python package index to take the LibTorch wheel from
#   RLHF_PACKAGES=skip             leave system packages alone (the libraries come from elsewhere)
set -euo pipefail

torch_version=2.13.0
oldest_torch=2.7
cpu_index=https://download.pytorch.org/whl/cpu
largest_wheel_mb=600 # the CPU build is about 200 MB, a CUDA build and what it brings are gigabytes

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${1:-$root/build}
mkdir -p "$build"
build=$(cd "$build" && pwd)

say() { printf 'setup: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# --- Debian packages --------------------------------------------------------------------------

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif has sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo true; }; }; then sudo "$@"
  else return 1
  fi
}

apt_updated=
apt_install() {
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends)
  has apt-get || return 1
  as_root "${install[@]}" "$@" >&2 && return
  [ -z "$apt_updated" ] && apt_updated=yes || return 1
  as_root apt-get update -q >&2 && as_root "${install[@]}" "$@" >&2
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q ' installed$'; }

required_packages() {
  local missing=() package
  has cmake || missing+=(cmake)
  has c++ || missing+=(g++)
  has ninja || missing+=(ninja-build)
  has python3 || missing+=(python3)
  if has dpkg-query; then
    for package in libfmt-dev libspdlog-dev nlohmann-json3-dev libgtest-dev libgmock-dev \
      libcli11-dev libpcre2-dev libutf8proc-dev; do
      installed "$package" || missing+=("$package")
    done
  fi
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  apt_install "${missing[@]}" || stop "cannot install packages here. Install these as root:" \
    "apt-get install ${missing[*]} (or, where they come from elsewhere, set RLHF_PACKAGES=skip)"
}

# Tried once a build folder: the build goes on without them.
optional_packages() {
  local package tried="$build/optional-packages-tried"
  [ ! -e "$tried" ] && has dpkg-query || return 0
  for package in ccache mold clang-format-14 libbenchmark-dev; do
    installed "$package" || apt_install "$package" || say "going on without $package"
  done
  touch "$tried"
}

# --- LibTorch ---------------------------------------------------------------------------------

at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# Prints the folder of a usable TorchConfig.cmake under one of the given folders, else fails.
usable() {
  local folder version
  for folder in "$@"; do
    [ -f "$folder/TorchConfig.cmake" ] || continue
    version=$(sed -n 's/^set(PACKAGE_VERSION "\([0-9.]*\).*/\1/p' "$folder/TorchConfigVersion.cmake")
    if ! at_least "${version:-0}" "$oldest_torch"; then
      say "passing over LibTorch ${version:-of unknown version} in $folder: $oldest_torch is needed"
    elif [ -e "$folder/../../../lib/libtorch_cuda.so" ] && ! has nvcc && [ ! -d /usr/local/cuda ]; then
      say "passing over the CUDA build of LibTorch in $folder: it needs the CUDA toolkit (nvcc)"
    else
      printf '%s\n' "$folder"
      return 0
    fi
  done
  return 1
}

from_environment() {
  local prefixes prefix folders=("${Torch_DIR:-}")
  IFS=':;' read -r -a prefixes <<<"${CMAKE_PREFIX_PATH:-}"
  for prefix in ${prefixes[@]+"${prefixes[@]}"}; do
    folders+=("$prefix/Torch" "$prefix/share/cmake/Torch" "$prefix/lib/cmake/Torch")
  done
  usable "${folders[@]}"
}

# Found without importing it, which would take seconds.
from_python() {
  local package
  package=$("$1" -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0])' \
    2>/dev/null) && usable "$package/share/cmake/Torch"
}

venv="$build/venv"
from_venv() { [ -e "$venv/complete" ] && from_python "$venv/bin/python"; }

make_venv() {
  python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv ||
    stop "Python's venv module is missing. Install it as root: apt-get install python3-venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  # Before 23.3 a dry run of pip downloads all that it plans. Where no newer pip can be had, no
  # index is in reach that could send gigabytes.
  "$venv/bin/python" -m pip install --quiet 'pip>=23.3' >&2 || say "going on with the old pip"
}

# What pip would bring, before anything large is downloaded: succeeds if it is a CPU build.
plan_is_small() {
  "$venv/bin/python" -m pip install --dry-run --ignore-installed --quiet --report - "$@" |
    "$venv/bin/python" "$root/cmake/wheel_plan.py" "$largest_wheel_mb" >&2
}

pip_install() { "$venv/bin/python" -m pip install --progress-bar off --no-compile "$@" >&2 && touch "$venv/complete"; }

from_pip() {
  local wheel=torch==$torch_version
  local index=(--index-url "${RLHF_TORCH_INDEX:-$cpu_index}")
  make_venv
  if [ -n "${RLHF_TORCH_INDEX:-}" ]; then
    say "installing $wheel from $RLHF_TORCH_INDEX"
    pip_install "${index[@]}" "$wheel" || return 1
  elif plan_is_small "$wheel"; then
    pip_install "$wheel" || return 1
  else
    say "asking PyTorch's own index of CPU builds instead"
    plan_is_small "${index[@]}" "$wheel" && pip_install "${index[@]}" "$wheel" || return 1
  fi
  from_venv
}

[ "${RLHF_PACKAGES:-}" = skip ] || { required_packages; optional_packages; }
from_environment || from_python python3 || from_venv || from_pip ||
  stop "no LibTorch >= $oldest_torch here and none could be downloaded. Do one of these: set" \
    "CMAKE_PREFIX_PATH to an unpacked LibTorch (a CPU build); pip install torch==$torch_version" \
    "where python3 finds it; set RLHF_TORCH_INDEX to a package index within reach; or run again" \
    "with the network on."
