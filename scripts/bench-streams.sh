#!/bin/sh
# fixed-server under many streams, each measurement with a fresh vendor and a fresh server.
# BIN: where the programs are. The figures of one line come from one run.
set -eu
work=$(mktemp -d)
vendor=
server=
stop() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  [ -z "$vendor" ] || kill -9 "$vendor" 2>/dev/null || true
  server=
  vendor=
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# listening FILE: waits for the address that a program prints.
listening() {
  tries=0
  while [ "$tries" -lt 100 ]; do
    url=$(sed -n 's/.*listening on \(http:\/\/[0-9.:]*\).*/\1/p' "$1" | head -n 1)
    [ -z "$url" ] || { echo "$url"; return; }
    sleep 0.1
    tries=$((tries + 1))
  done
  cat "$1" >&2
  exit 1
}

# measure STREAMS GAP RAMP DURATION
measure() {
  # There from the start: the programs' own redirections may come later than the first look.
  : >"$work/vendor"
  : >"$work/server"
  "$BIN/mock-llm" --listen 127.0.0.1:0 --tokens 100000 --ttft "$2" --inter-token "$2" 2>"$work/vendor" &
  vendor=$!
  vendor_url=$(listening "$work/vendor")
  "$BIN/fixed-server" --listen 127.0.0.1:0 --upstream "$vendor_url" 2>"$work/server" &
  server=$!
  server_url=$(listening "$work/server")
  echo
  echo "== $1 streams, a token each $2"
  "$BIN/loadgen" run --url "$server_url" --vendor "$vendor_url" --pid "$server" --concurrency "$1" \
    --ramp "$3" --duration "$4" --slo 'health.p99<10ms' --slo 'lost==0' --slo 'health.timed_out==0' \
    >"$work/result" || status=1
  # Without its line a second.
  sed '1,/^$/d' "$work/result"
  stop
}

status=0
measure 1000 250ms 2s 12s
measure 4000 250ms 6s 16s
exit "$status"
