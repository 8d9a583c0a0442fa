#!/bin/sh
# Stops what up.sh started: with SIGTERM, and after two seconds with SIGKILL.
set -eu
. "$(dirname "$0")/process.sh"

for file in "$RUN"/*.pid; do
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  name=$(basename "$file" .pid)
  if is_running "$name"; then
    kill "$pid" 2>/dev/null || true
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 20 ]; do
      sleep 0.1
      tries=$((tries + 1))
    done
    kill -9 "$pid" 2>/dev/null || true
    echo "  stopped $name"
  fi
  rm -f "$file"
done
rm -f "$RUN/vendor.url"
