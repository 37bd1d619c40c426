#!/bin/sh
# Compiles src/shim into dist/<arch>/tally-shim, statically, with musl: on x64 by tcc, which is the smallest compiler of the distribution that
# does it (docs/adr/0025), or by whichever of musl-gcc, gcc and cc is there. `--sanitize` makes dist/tally-shim-sanitized, by gcc, with
# AddressSanitizer and UndefinedBehaviorSanitizer; `--test` the unit tests in test/unit/shim beside either; `--debug` one for valgrind.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "tallyman build-shim: $1" >&2
  exit 1
}

# By the names that Node.js has for processors.
case "$(uname -m)" in
  x86_64) arch=x64 triple=x86_64-linux ;;
  aarch64 | arm64) arch=arm64 triple=aarch64-linux ;;
  *) arch=$(uname -m) triple=$arch-linux ;;
esac
musl_lib=/usr/lib/$triple-musl
musl_include=/usr/include/$triple-musl
tcc_dir=/usr/lib/$triple-gnu/tcc
# tcc says the last by itself neither in all nor in extra.
warnings='-std=c11 -Wall -Wextra -Werror -Wimplicit-function-declaration'
out=${SHIM_OUT:-dist}
sources=$(find src/shim -name '*.c' ! -name main.c | sort)
mkdir -p "$out"

# @param 1 the result, then what to compile. tcc's own <stdarg.h> comes before that of musl.
compile() {
  target=$1
  shift
  case "${SHIM_CC:-}" in
    '' | tcc)
      # For arm64 it cannot link musl.
      if [ "$arch" = x64 ] && command -v tcc >/dev/null && [ -f "$musl_lib/libc.a" ]; then
        # shellcheck disable=SC2086
        tcc $warnings -static -nostdlib -nostdinc -I"$tcc_dir/include" -I"$musl_include" -Isrc/shim -o "$target.$$" \
          "$musl_lib/crt1.o" "$musl_lib/crti.o" "$@" "$musl_lib/libc.a" "$tcc_dir/libtcc1.a" "$musl_lib/libc.a" "$musl_lib/crtn.o"
        mv "$target.$$" "$target"
        return
      fi
      [ "${SHIM_CC:-}" != tcc ] || fail 'expected tcc and musl-dev on x64: apt-get install tcc musl-dev'
      ;;
  esac
  for compiler in ${SHIM_CC:-musl-gcc gcc cc}; do
    command -v "$compiler" >/dev/null || continue
    linkage=
    [ "$compiler" != musl-gcc ] || linkage=-static
    # shellcheck disable=SC2086
    "$compiler" $warnings -O2 $linkage -Isrc/shim -o "$target.$$" "$@"
    mv "$target.$$" "$target"
    return
  done
  fail 'expected a C compiler: apt-get install tcc musl-dev, or musl-tools on arm64'
}

# shellcheck disable=SC2086
case "${1:-}" in
  '')
    mkdir -p "$out/$arch"
    compile "$out/$arch/tally-shim" $sources src/shim/main.c
    ;;
  --test)
    compile "$out/tally-shim-tests" $sources test/unit/shim/tests.c
    compile "$out/tally-shim-relay" test/fixtures/shim/relay.c
    ;;
  --sanitize)
    for pair in tally-shim-sanitized:src/shim/main.c tally-shim-tests-sanitized:test/unit/shim/tests.c; do
      gcc $warnings -g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -Isrc/shim -o "$out/${pair%%:*}" $sources "${pair#*:}"
    done
    ;;
  --debug) gcc $warnings -g -O1 -Isrc/shim -o "$out/tally-shim-debug" $sources src/shim/main.c ;;
  *) fail "expected --test, --sanitize or --debug, got $1" ;;
esac
