#!/bin/sh
# Builds the demonstration and runs it: sh cmake/demo.sh
#
# On a new machine with Debian 12 or later it first installs what is missing (as root, or with sudo).
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

install_missing "$demo_packages"
export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS-pch_defines,time_macros}"

echo 'Building the demonstration (log: build/demo.log)'
mkdir -p build
if ! {
  cmake -S . -B build/demo -G Ninja -D CMAKE_BUILD_TYPE=Release \
    -D COTLS_BUILD_TESTS=OFF -D COTLS_BUILD_BENCH=OFF &&
    cmake --build build/demo --target cotls_demo --parallel "$(jobs_for_this_machine)"
} >build/demo.log 2>&1; then
  cat build/demo.log >&2
  exit 1
fi

exec build/demo/test/demo/cotls_demo "$@"
