# Sourced by demo.sh and test.sh: installs what is missing from Debian's packages. Those of Boost bear
# its version, each release has others, and only one can be installed: @ stands for it. Devices are
# what tests skip, and say so, where the release does not have them.
# shellcheck shell=sh disable=SC2016,SC2034,SC2086  # scripts; used by those who source it; lists

build_packages='g++ cmake ninja-build libboost@-dev libboost-json@-dev
  libboost-program-options@-dev libssl-dev'
demo_packages="$build_packages openssl curl ca-certificates"
peer_packages='gnutls-bin nginx python3 nodejs chromium libnss3-tools haproxy redis-server'
test_packages="$demo_packages $peer_packages libboost-test@-dev libboost-context@-dev
  pkg-config strace procps valgrind"
clang_packages='clang-19 libclang-rt-19-dev'
device_packages='swtpm tpm2-tools tpm2-openssl softhsm2 pkcs11-provider openssl-provider-fips'

# Of versions of Boost, one a line, the first that is not too old.
first_that_serves() {
  while IFS=. read -r major minor; do
    if [ "$major" -eq 1 ] && [ "$minor" -ge 81 ]; then
      echo "$major.$minor"
      return
    fi
  done
}

# One that is there serves; another would take its place.
installed_boost() {
  dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' 'libboost1.*-dev' 2>/dev/null |
    sed -n 's/^installed libboost\(1\.[0-9]*\)-dev$/\1/p' | first_that_serves
}

# The release's own choice, or else the oldest beside it.
offered_boost() {
  {
    apt-cache depends libboost-dev | sed -n 's/^ *Depends: libboost\(1\.[0-9]*\)-dev$/\1/p'
    apt-cache pkgnames libboost1. | sed -n 's/^libboost\(1\.[0-9]*\)-dev$/\1/p' | sort -V
  } | first_that_serves
}

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "Please become root, or install sudo, to run: $*" >&2
    return 1
  fi
}

# missing_among 'PACKAGE...' VERSION_OF_BOOST
missing_among() {
  for package in $(echo "$1" | sed "s/@/$2/g"); do
    is_installed "$package" || printf ' %s' "$package"
  done
}

# offered_among 'PACKAGE...': those that this release has
offered_among() {
  for package in $1; do
    if apt-cache show "$package" >/dev/null 2>&1; then printf ' %s' "$package"; fi
  done
}

# all_missing 'PACKAGE...' 'OPTIONAL PACKAGE...'
all_missing() {
  missing_among "$1" "$boost"
  offered_among "$(missing_among "$2" "$boost")"
}

# install_missing 'PACKAGE...' ['OPTIONAL PACKAGE...']
#
# Asks for nothing, not even the password, when everything is there. On another system than Debian it
# leaves it to CMake to say what is missing.
install_missing() {
  command -v dpkg-query >/dev/null || return 0
  boost=$(installed_boost)
  missing=$(all_missing "$1" "${2-}")
  [ -n "$missing" ] || return 0

  as_root apt-get update -q
  [ -n "$boost" ] || boost=$(offered_boost)
  missing=$(all_missing "$1" "${2-}")
  echo "Installing:$missing"
  without_services as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $missing
}

# without_services COMMAND...
#
# Runs a command that installs packages, without their services: nginx would be started on port 80
# of every address, and fails to be installed where that fails, as without IPv6.
without_services() {
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then   # the machine's owner has decided
    "$@"
    return
  fi
  as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$0" && chmod 755 "$0"' "$policy"
  status=0
  "$@" || status=$?
  as_root rm -f "$policy"
  return $status
}

# How many compilers run at once: one for each processor and each 4.5 GB of memory.
jobs_for_this_machine() {
  memory=$(awk '/^MemTotal:/ { print int($2 / 4500000) }' /proc/meminfo)
  processors=$(nproc)
  if [ "$memory" -lt 1 ]; then
    echo 1
  elif [ "$memory" -lt "$processors" ]; then
    echo "$memory"
  else
    echo "$processors"
  fi
}
