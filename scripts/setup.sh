#!/bin/sh
# Brings a fresh Debian or Ubuntu machine, or a fresh clone, to where demo, tests and `npx tally` work. Does only what is
# missing: with nothing to do it takes a few milliseconds. With --tests also what the tests alone need.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "tallyman setup: $1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail "containers need Linux, this is $(uname -s)."
[ "$(id -u)" = 0 ] || fail "running containers needs root: run the same command again with sudo."

is_static_busybox() {
  command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1
}

packages=
command -v runc >/dev/null || packages="$packages runc"
command -v nats-server >/dev/null || packages="$packages nats-server"
is_static_busybox || packages="$packages busybox-static"
# The smallest compiler of the distribution (docs/adr/0025); where there is no apt-get, any other serves.
case "$(uname -m)" in
  x86_64) compiler=tcc compiler_packages='tcc musl-dev' other=aarch64 other_compiler=aarch64-linux-gnu ;;
  *) compiler=musl-gcc compiler_packages='gcc musl-tools' other=x86_64 other_compiler=x86-64-linux-gnu ;;
esac
has_compiler() {
  ls /usr/lib/*-linux-musl/libc.a >/dev/null 2>&1 && command -v "$compiler" >/dev/null && return
  ! command -v apt-get >/dev/null && { command -v musl-gcc || command -v gcc || command -v cc; } >/dev/null
}
has_compiler || packages="$packages $compiler_packages"
if [ "${1:-}" = --tests ]; then
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || packages="$packages chromium"
  # What the package has for the other processor is compiled, and run.
  command -v "$other-linux-gnu-gcc" >/dev/null || packages="$packages gcc-$other_compiler"
  command -v "qemu-$other-static" >/dev/null || packages="$packages qemu-user-static"
fi
if [ -n "$packages" ]; then
  command -v apt-get >/dev/null || fail "expected$packages to be installed, and there is no apt-get to do it: install them with this system's package manager."
  echo "tallyman setup: installing$packages"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  # shellcheck disable=SC2086
  { apt-get -qq -o Acquire::Retries=2 update && apt-get -qq -y install --no-install-recommends $packages; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install$packages: check that this machine reaches a Debian or Ubuntu mirror, or install them by hand."
  }
  rm -f "$log"
fi

if ! cmp -s package-lock.json node_modules/.tallyman-lock; then
  echo "tallyman setup: installing npm packages"
  npm ci --include=dev --no-audit --no-fund --loglevel=error || fail "npm could not install the packages of package-lock.json: check that this machine reaches the npm registry (npm ping)."
  [ -x node_modules/node/bin/node ] || fail "expected npm to have installed Node.js 24 as node_modules/node: are install scripts switched off (npm config get ignore-scripts)?"
  cp package-lock.json node_modules/.tallyman-lock
fi

if [ ! -f dist/tally.js ] || ! ls dist/*/tally-shim >/dev/null 2>&1 || [ -n "$(find machines src scripts/build.mjs scripts/build-page.mjs scripts/build-shim.sh package.json -newer dist/tally.js -type f | head -n 1)" ]; then
  echo "tallyman setup: building"
  node_modules/node/bin/node scripts/build.mjs || fail "the build failed; see above."
fi

ln -sf ../../bin/tally node_modules/.bin/tally
