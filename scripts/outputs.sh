#!/bin/sh
# Runs labs, and `diagnose`, and writes what each printed into a file, which its chapter includes:
# workshop/src/outputs/NAME.txt. A lab that does not hold leaves its file as it was. BIN: the programs' folder.
# NAMES: some labs, diagnose [default: all].
set -eu
folder=$(dirname "$0")/../workshop/src/outputs
mkdir -p "$folder"
new=$folder/.new
run=$folder/.run
stop() {
  RUN=$run sh "$(dirname "$0")/stop.sh" >/dev/null
}
trap 'stop; rm -rf "$new" "$run"' EXIT
trap 'exit 130' INT TERM HUP
# The output is as wide as the default terminal.
unset COLUMNS

# diagnose: of broken-server, on the ports of `make up`. The limit that it finds makes it end with 1.
diagnose() {
  BIN=$BIN RUN=$run MISTAKE=pool-exhaustion PORT=8000 sh "$(dirname "$0")/up.sh" >/dev/null || return
  ended=0
  NO_COLOR=1 "$BIN/loadgen" diagnose --url http://127.0.0.1:8000 --health-path /debug/health-sync \
    --async-health-path /debug/health-async --pid "$(cat "$run/broken-server.pid")" --quiet || ended=$?
  stop
  [ "$ended" -eq 1 ]
}

names=${NAMES:-$("$BIN/broken-server" --list | awk '/^  / && $1 != "none" { print $1 }') diagnose}
kept=
for name in $names; do
  code=0
  if [ "$name" = diagnose ]; then
    diagnose >"$new" || code=$?
  else
    NO_COLOR=1 "$BIN/loadgen" lab "$name" --quiet >"$new" || code=$?
  fi
  if [ "$code" -eq 0 ]; then
    mv "$new" "$folder/$name.txt"
    echo "  workshop/src/outputs/$name.txt"
  else
    sed 's/^/    /' "$new"
    echo "  $name did not hold (exit code $code): its file stays as it was" >&2
    kept="$kept $name"
  fi
done
if [ -n "$kept" ]; then
  echo "Run again: make outputs NAMES=\"${kept# }\"" >&2
  exit 1
fi
