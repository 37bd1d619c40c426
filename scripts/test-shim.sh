#!/bin/sh
# The tests of the shim against each build of it: as it is shipped, with AddressSanitizer and UndefinedBehaviorSanitizer, and under
# valgrind, where that is installed. Names of builds as arguments choose among them: shipped, sanitized, valgrind.
set -eu
cd "$(dirname "$0")/.."

vitest() {
  node_modules/.bin/node node_modules/vitest/vitest.mjs run "$@"
}

sh scripts/build-shim.sh
sh scripts/build-shim.sh --test
for build in ${*:-shipped sanitized valgrind}; do
  echo "tally-shim: $build"
  case $build in
    shipped)
      vitest --project unit test/unit/shim
      vitest --project integration test/integration/shim
      ;;
    sanitized)
      sh scripts/build-shim.sh --sanitize
      dist/tally-shim-tests-sanitized
      TALLY_SHIM=$PWD/dist/tally-shim-sanitized vitest --project integration test/integration/shim
      ;;
    valgrind)
      command -v valgrind >/dev/null || continue
      sh scripts/build-shim.sh --debug
      printf '#!/bin/sh\nexec valgrind -q --error-exitcode=99 "%s" "$@"\n' "$PWD/dist/tally-shim-debug" >dist/tally-shim-valgrind
      chmod +x dist/tally-shim-valgrind
      # Other images, pidfds and limits of descriptors are not for valgrind, nor is what counts milliseconds.
      TALLY_SHIM=$PWD/dist/tally-shim-valgrind vitest --project integration --testTimeout 120000 -t '^(?!.*(image|somebody else|upgrade|descriptor))' \
        test/integration/shim/children test/integration/shim/hostile test/integration/shim/in-advance test/integration/shim/input \
        test/integration/shim/output test/integration/shim/runc
      ;;
    *)
      echo "tally-shim: expected shipped, sanitized or valgrind, got $build" >&2
      exit 1
      ;;
  esac
done
