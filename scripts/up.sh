#!/bin/sh
# Starts the vendor and both servers in the background, on the ports of the README.
# BIN: where the programs are. RUN: where their process ids and logs go. MISTAKE: broken-server's.
set -eu
mkdir -p "$RUN"

# start NAME ARGUMENTS...: starts a program and waits until it listens.
start() {
  name=$1
  shift
  if [ -f "$RUN/$name.pid" ] && kill -0 "$(cat "$RUN/$name.pid")" 2>/dev/null; then
    echo "$name is running already: make stop" >&2
    exit 1
  fi
  "$BIN/$name" "$@" >"$RUN/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$RUN/$name.pid"
  tries=0
  until grep -q 'listening on http://' "$RUN/$name.log"; do
    tries=$((tries + 1))
    if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -gt 100 ]; then
      echo "$name did not start:" >&2
      cat "$RUN/$name.log" >&2
      rm -f "$RUN/$name.pid"
      RUN="$RUN" sh "$(dirname "$0")/stop.sh"
      exit 1
    fi
    sleep 0.1
  done
}

start mock-llm
start broken-server --mistake "$MISTAKE"
start fixed-server

cat <<TEXT
  mock-llm       http://127.0.0.1:9000   the vendor
  broken-server  http://127.0.0.1:8000   --mistake $MISTAKE
  fixed-server   http://127.0.0.1:8001

  curl -N http://127.0.0.1:8000/chat/stream -H 'content-type: application/json' \\
       -d '{"messages":[{"role":"user","content":"hi"}]}'
  curl http://127.0.0.1:8000/debug/health-sync
  $BIN/loadgen watch --url http://127.0.0.1:8000      (and in another window:)
  $BIN/loadgen run --url http://127.0.0.1:8000 --concurrency 45 --duration 20s

  Logs: $RUN/*.log. Stop all: make stop
TEXT
