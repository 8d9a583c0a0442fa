#!/bin/sh
# Runs `cargo test` with these arguments, exits with its code, and ends with one line: the totals and the time.
set -u
cargo=${CARGO:-cargo}
# Most tests wait for servers, so six run at once also where there are fewer processors.
if [ -z "${RUST_TEST_THREADS:-}" ]; then
  processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 6)
  [ "$processors" -ge 6 ] || export RUST_TEST_THREADS=6
fi
[ -d target/debug/deps ] || echo "The first run builds the test programs: about two minutes on two cores."

# Passes the lines on and adds up the results. Read in the shell: some versions of awk buffer 4 KB of lines.
sum_up() {
  started='' passed=0 failed=0 ignored=0 code=1
  while IFS= read -r line; do
    # The first test output means that everything is built.
    started=${started:-$(date +%s)}
    case $line in
      'cargo test exited with '*)
        code=${line##* }
        continue
        ;;
      'test result: '*' passed; '*' failed; '*' ignored; '*)
        # test result: ok. 12 passed; 0 failed; 1 ignored; ...
        set -f
        set -- $line
        passed=$((passed + $4)) failed=$((failed + $6)) ignored=$((ignored + $8))
        set +f
        ;;
    esac
    printf '%s\n' "$line"
  done
  took=$(($(date +%s) - started))
  [ "$took" -lt 60 ] && time="$took s" || time="$((took / 60)) min $((took % 60)) s"
  [ $((passed + failed + ignored)) -eq 0 ] || echo "$passed passed, $failed failed, $ignored ignored in $time"
  return "$code"
}

# Cargo's own messages (its progress, which program runs) go to the terminal unchanged.
{
  "$cargo" test --no-fail-fast "$@"
  echo "cargo test exited with $?"
} | sum_up
