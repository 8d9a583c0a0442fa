#!/bin/sh
# Runs labs and writes what each printed into a file, which its chapter includes: workshop/src/outputs/NAME.txt.
# A lab that does not hold leaves its file as it was. BIN: the programs' folder. NAMES: some labs [default: all].
set -eu
folder=$(dirname "$0")/../workshop/src/outputs
mkdir -p "$folder"
new=$folder/.new
trap 'rm -f "$new"' EXIT
trap 'exit 130' INT TERM HUP
# The output is as wide as the default terminal.
unset COLUMNS

names=${NAMES:-$("$BIN/broken-server" --list | awk '/^  / && $1 != "none" { print $1 }')}
kept=
for name in $names; do
  code=0
  NO_COLOR=1 "$BIN/loadgen" lab "$name" --quiet >"$new" || code=$?
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
