#!/bin/sh
# Compiles the shim for the processor that this machine does not have, into dist/<arch>/tally-shim, so that the package has it for x64 and
# arm64. By Debian's cross compiler, which is installed if this is run by root, and with the musl-dev of the other processor, which is
# unpacked into a temporary directory. With --test also the unit tests, which an emulator can run.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "tallyman package-shim: $1" >&2
  exit 1
}

case "$(uname -m)" in
  x86_64) arch=arm64 debian=arm64 triple=aarch64-linux package=gcc-aarch64-linux-gnu ;;
  aarch64 | arm64) arch=x64 debian=amd64 triple=x86_64-linux package=gcc-x86-64-linux-gnu ;;
  *) fail "expected x86_64 or aarch64, got $(uname -m)" ;;
esac
gcc=$triple-gnu-gcc
root=/
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT

get_compiler() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "expected $gcc: apt-get install $package"
  echo "tallyman package-shim: installing $package"
  { apt-get -qq -o Acquire::Retries=2 update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "$package"; } \
    >"$temp/log" 2>&1 || { tail -n 5 "$temp/log" >&2 && fail "apt-get could not install $package"; }
}

# Lists of its own, so that this machine's packages stay as they are.
get_musl() {
  command -v apt-get >/dev/null || fail "expected /usr/lib/$triple-musl/libc.a, of musl-dev for $debian"
  mkdir -p "$temp/state/lists/partial" "$temp/cache/archives/partial"
  (
    cd "$temp"
    set -- -qq -o APT::Architecture="$debian" -o APT::Architectures="$debian" -o APT::Sandbox::User=root \
      -o Dir::State="$temp/state" -o Dir::State::status=/dev/null -o Dir::Cache="$temp/cache"
    . /etc/os-release
    if [ "$ID" = ubuntu ] && [ "$debian" = arm64 ]; then
      # Ubuntu has it on another server.
      echo "deb [signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg] http://ports.ubuntu.com/ubuntu-ports $VERSION_CODENAME universe" >sources.list
      set -- "$@" -o Dir::Etc::SourceList="$temp/sources.list" -o Dir::Etc::SourceParts=/dev/null
    fi
    apt-get "$@" update
    apt-get "$@" download musl-dev
    dpkg-deb -x musl-dev_*.deb root
  ) >"$temp/log" 2>&1 || true
  root=$temp/root
  [ -f "$root/usr/lib/$triple-musl/libc.a" ] || { tail -n 5 "$temp/log" >&2 && fail "apt-get could not download musl-dev for $debian"; }
}

command -v "$gcc" >/dev/null || get_compiler
[ -f "/usr/lib/$triple-musl/libc.a" ] || get_musl
lib=$root/usr/lib/$triple-musl
out=${SHIM_OUT:-dist}/$arch
mkdir -p "$out"

# Two times, since libgcc and musl use each other.
compile() {
  target=$1
  shift
  "$gcc" -std=c11 -Wall -Wextra -Werror -Os -s -static -nostdlib -nostdinc -isystem "$root/usr/include/$triple-musl" \
    -isystem "$("$gcc" -print-file-name=include)" -Isrc/shim -o "$target" \
    "$lib/crt1.o" "$lib/crti.o" "$@" "$lib/libc.a" "$("$gcc" -print-libgcc-file-name)" "$lib/libc.a" "$lib/crtn.o"
}

compile "$out/tally-shim" src/shim/*.c
# shellcheck disable=SC2046
[ "${1:-}" != --test ] || compile "$out/tally-shim-tests" $(find src/shim -name '*.c' ! -name main.c) test/unit/shim/tests.c
