#!/bin/sh
# Runs the tests with the newest releases of runc and nats-server instead of those of the distribution: `npm run test:newest`.
# TALLY_PEERS names a directory with other builds of both. Arguments are handed on to the test runner.
set -eu
cd "$(dirname "$0")/.."

peers=${TALLY_PEERS:-$PWD/.cache/newest}
if [ -z "${TALLY_PEERS:-}" ]; then
  command -v go >/dev/null || { echo "tallyman: expected go, which builds the newest runc and nats-server; or TALLY_PEERS=DIR with both" >&2; exit 1; }
  mkdir -p "$peers"
  [ -x "$peers/nats-server" ] || GOBIN="$peers" CGO_ENABLED=0 go install github.com/nats-io/nats-server/v2@latest
  if [ ! -x "$peers/runc" ]; then
    pkg-config --exists libseccomp || { echo "tallyman: expected libseccomp's headers (Debian: apt-get install libseccomp-dev pkg-config)" >&2; exit 1; }
    GOBIN="$peers" go install -tags seccomp github.com/opencontainers/runc@latest
  fi
fi
for program in runc nats-server; do
  [ -x "$peers/$program" ] || { echo "tallyman: expected $peers/$program to be a program" >&2; exit 1; }
done

PATH="$peers:$PATH"
export PATH
runc --version | head -n 1
nats-server --version
exec npm test -- "$@"
