#!/bin/sh
# Resets the vendor that up.sh started: no faults, an empty ledger. RUN: as for up.sh.
set -eu
. "$(dirname "$0")/process.sh"

if ! is_running mock-llm || [ ! -f "$RUN/vendor.url" ]; then
  echo "There is no vendor to reset: start one with make up" >&2
  exit 1
fi
vendor=$(cat "$RUN/vendor.url")
curl --noproxy '*' -fsS -o /dev/null -X DELETE "$vendor/debug/faults"
curl --noproxy '*' -fsS -o /dev/null -X POST "$vendor/debug/reset"
echo "  $vendor has no faults and an empty ledger; open streams continue"
