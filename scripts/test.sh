#!/bin/sh
# Runs `cargo test` with these arguments, exits as it does, and closes with one line: the sum and the time.
set -u
cargo=${CARGO:-cargo}
[ -d target/debug/deps ] || echo "The first time, the test programs are built: about two minutes on two cores."

# Passes the lines on and sums up. Read in the shell: some versions of awk hold lines back until they have 4 KB.
sum_up() {
  started='' passed=0 failed=0 ignored=0 code=1
  while IFS= read -r line; do
    # Tests begin to say something when everything is built.
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

# What cargo itself says (its progress, which program runs) goes to the terminal as it is.
{
  "$cargo" test --no-fail-fast "$@"
  echo "cargo test exited with $?"
} | sum_up
