#!/bin/sh
# Builds and tests what is committed on other systems, each made from nothing: before a release, as
# root, in two hours: sh cmake/systems.sh [DIRECTORY [SYSTEM...]]
#
#   bookworm, trixie   a bare Debian 12 and 13: the README's two commands, of the second the main stage
#   next               Debian's unstable release, its newest Boost and compiler, and experimental's
#                      OpenSSL, which is 4 or later: library, tool and unit tests, which are run
#
# A system, 2 to 5 GB of DIRECTORY (by default /var/tmp/cotls-systems), is made anew, and its log is
# DIRECTORY/SYSTEM.log. Needs debootstrap, and MIRROR if it is not to be deb.debian.org.
# shellcheck disable=SC2016,SC2317  # expanded inside; called by name
set -eu
cd "$(dirname "$0")/.."

directory=${1:-/var/tmp/cotls-systems}
[ $# -eq 0 ] || shift
systems=${*:-bookworm trixie next}
mirror=${MIRROR:-http://deb.debian.org/debian}
mkdir -p "$directory/packages"

# make_system NAME RELEASE: a system with nothing but what each has, and our commit in /cotls
make_system() {
  root=$directory/$1
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase --cache-dir="$(realpath "$directory")/packages" "$2" "$root" "$mirror"
  cat /etc/resolv.conf >"$root/etc/resolv.conf"
  echo '127.0.0.1 localhost' >"$root/etc/hosts"   # which an installer writes
  mkdir "$root/cotls"
  git archive HEAD | tar -x -C "$root/cotls"
}

# inside NAME COMMAND: what it mounts and starts is gone when it ends
inside() {
  unshare --mount --pid --fork --kill-child sh -euc '
    mount -t proc proc "$0/proc"
    mount --rbind /dev "$0/dev"
    exec env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      chroot "$0" sh -euc "cd /cotls; $1"' "$directory/$1" "$2"
}

test_debian() {
  make_system "$1" "$1"
  inside "$1" 'sh cmake/demo.sh'
  inside "$1" 'COTLS_TEST_STAGES=main sh cmake/test.sh'
}

test_next() {
  make_system next sid
  echo "deb $mirror experimental main" >>"$directory/next/etc/apt/sources.list"
  # What a mirror keeps of them may be older than they say that they may be.
  echo 'Acquire::Check-Valid-Until "false";' >"$directory/next/etc/apt/apt.conf.d/keeps"
  inside next '
    apt-get update -q
    apt-get install -q -y --no-install-recommends g++ cmake ninja-build libboost-dev \
      libboost-json-dev libboost-program-options-dev libboost-test-dev libboost-context-dev
    apt-get install -q -y --no-install-recommends --target-release experimental libssl-dev openssl
    cmake -S . -B build -G Ninja -D CMAKE_BUILD_TYPE=Debug -D COTLS_BUILD_BENCH=OFF \
      -D COTLS_TEST_KINDS="unit;tool" -D COTLS_TEST_BATCH=8
    cmake --build build
    ctest --test-dir build --output-on-failure'
}

status=0
for system in $systems; do
  case $system in
    bookworm | trixie) run="test_debian $system" ;;
    next) run=test_next ;;
    *)
      echo "There is no system '$system': bookworm, trixie, next" >&2
      exit 2
      ;;
  esac
  echo "== $system (log: $directory/$system.log)"
  # In a shell of its own, where -e still ends what fails.
  $run >"$directory/$system.log" 2>&1 &
  if wait $!; then
    result=passed
  else
    result=FAILED
    status=1
  fi
  tail -n 3 "$directory/$system.log"
  echo "$system: $result"
done
exit $status
