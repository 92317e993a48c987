#!/usr/bin/env bash
# Builds the project beside this file up to its own object file, and links that with the library
# that stands in our build folder already: to build it a second time takes minutes (the test
# consumer_add_subdirectory_whole, label long, does).
#
#   bash prebuilt.sh SOURCE BUILD LIBRARY [CMake options]
set -euo pipefail
source=$1 build=$2 library=$3
cmake -S "$source" -B "$build" "${@:4}"
ninja -C "$build" "$(dirname "$source")/app.cpp^" # ninja's word for: what is made of this file
link=$(ninja -C "$build" -t commands app | tail -n 1)
cd "$build"
eval "${link//rlhf\/$(basename "$library")/$library}"
./app
