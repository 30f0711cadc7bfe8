#!/bin/sh
# Builds and runs every test: sh cmake/test.sh [argument of ctest...]
#
# On a new machine with Debian 12 or later it first installs what is missing (as root, or with sudo).
#
# There are three builds, a directory of build/ each, and then one run of CTest over all of them:
#   main   GCC: every test, the installed packages, and the gates of bench/; the library and what is
#          measured are optimised, the tests are not, which take most of the time to compile
#   asan   Clang 19, AddressSanitizer and UndefinedBehaviorSanitizer: unit, shell, fault and readme
#          tests
#   tsan   Clang 19, ThreadSanitizer: the unit and shell tests that have several threads
# COTLS_TEST_STAGES="main tsan" chooses among them.
set -eu
cd "$(dirname "$0")/.."
. cmake/packages.sh

stages=${COTLS_TEST_STAGES:-main asan tsan}
jobs=$(jobs_for_this_machine)
export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS-pch_defines,time_macros}"

# build_stage NAME [argument of cmake...]
build_stage() {
  tree=$1
  shift
  echo "== Building $tree"
  cmake -S . -B "build/$tree" -G Ninja -D CMAKE_BUILD_TYPE=RelWithDebInfo \
    -D CMAKE_CXX_FLAGS_RELWITHDEBINFO='-O1 -g1' -D COTLS_TEST_PREFIX="$tree." -D COTLS_TEST_BATCH=8 \
    "$@"
  cmake --build "build/$tree" --parallel "$jobs"
}

build_main() {
  # What an older build directory remembers as all kinds of tests may be too few.
  build_stage main -U COTLS_TEST_KINDS -D CMAKE_CXX_COMPILER=g++ -D COTLS_WARNINGS_AS_ERRORS=ON \
    -D COTLS_TEST_OPTIONS='-O0;-g0'
}

# GCC takes three times as long to compile with sanitizers.
build_sanitized() {
  build_stage "$@" -D CMAKE_CXX_COMPILER=clang++-19 -D COTLS_WARNINGS_AS_ERRORS=ON \
    -D COTLS_BUILD_BENCH=OFF -D COTLS_BUILD_TOOLS=OFF -D COTLS_BATCH=10
}

build_asan() {
  build_sanitized asan -D COTLS_SANITIZE='address;undefined' \
    -D CMAKE_CXX_FLAGS_RELWITHDEBINFO='-O0 -g1' -D COTLS_TEST_KINDS='unit;shell;fault;readme'
}

# Tests that are not optimised take 60 % of the time to compile, and show the sanitizer more reads
# and writes.
build_tsan() {
  build_sanitized tsan -D COTLS_SANITIZE=thread -D COTLS_TEST_KINDS='unit;shell' \
    -D COTLS_TEST_OPTIONS='-O0'
}

packages=$test_packages
case " $stages " in
  *' asan '* | *' tsan '*) packages="$packages $clang_packages" ;;
esac
install_missing "$packages" "$device_packages"

mkdir -p build
: >build/CTestTestfile.cmake
for stage in $stages; do
  case $stage in
    main | asan | tsan) "build_$stage" ;;
    *)
      echo "COTLS_TEST_STAGES: there is no stage '$stage'" >&2
      exit 2
      ;;
  esac
  echo "subdirs(\"$stage\")" >>build/CTestTestfile.cmake
done

echo '== Running the tests'
exec ctest --test-dir build --no-tests=error --no-label-summary --output-on-failure \
  --parallel "$jobs" "$@"
