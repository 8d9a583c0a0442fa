#!/bin/sh
# Starts the vendor and both servers in the background.
# BIN: the programs' folder. RUN: the folder for their process ids and logs. MISTAKE: broken-server's.
# PORT: broken-server's; fixed-server has PORT + 1, the vendor PORT + 1000.
set -eu
. "$(dirname "$0")/process.sh"

case $PORT in
  *[!0-9]* | '' | 0* | ??????*) port_is_good=false ;;
  *) if [ "$PORT" -ge 1 ] && [ "$PORT" -le 64535 ]; then port_is_good=true; else port_is_good=false; fi ;;
esac
if ! $port_is_good; then
  echo "PORT is '$PORT', expected a number from 1 to 64535: make up PORT=8100" >&2
  exit 2
fi
broken=127.0.0.1:$PORT
fixed=127.0.0.1:$((PORT + 1))
vendor=127.0.0.1:$((PORT + 1000))
mkdir -p "$RUN"

# give_up NAME: prints why NAME did not start, and stops the programs that did.
give_up() {
  taken=$(sed -n 's/.*cannot listen on 127\.0\.0\.1:\([0-9]*\).*in use.*/\1/p' "$RUN/$1.log")
  if [ -n "$taken" ]; then
    other=$((PORT + 100))
    [ "$other" -le 64535 ] || other=8100
    echo "Port $taken, which $1 needs, is taken. Choose others: make up PORT=$other" >&2
    echo "(broken-server gets $other, fixed-server $((other + 1)), the vendor $((other + 1000)))" >&2
  else
    echo "$1 did not start:" >&2
    cat "$RUN/$1.log" >&2
  fi
  rm -f "$RUN/$1.pid"
  RUN="$RUN" sh "$(dirname "$0")/stop.sh" >/dev/null
  exit 1
}

# start NAME ARGUMENTS...: starts a program and waits until it listens.
start() {
  name=$1
  shift
  : >"$RUN/$name.log"
  "$BIN/$name" "$@" >"$RUN/$name.log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$RUN/$name.pid"
  tries=0
  until grep -q 'listening on http://' "$RUN/$name.log"; do
    tries=$((tries + 1))
    if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -gt 100 ]; then
      give_up "$name"
    fi
    sleep 0.1
  done
}

for name in mock-llm broken-server fixed-server; do
  if is_running "$name"; then
    echo "$name is running already: make stop" >&2
    exit 1
  fi
done
start mock-llm --listen "$vendor"
start broken-server --listen "$broken" --upstream "http://$vendor" --mistake "$MISTAKE"
start fixed-server --listen "$fixed" --upstream "http://$vendor"
echo "http://$vendor" >"$RUN/vendor.url"

cat <<TEXT
  mock-llm       http://$vendor   the vendor
  broken-server  http://$broken   --mistake $MISTAKE
  fixed-server   http://$fixed

  curl -N http://$broken/chat/stream -H 'content-type: application/json' \\
       -d '{"messages":[{"role":"user","content":"hi"}]}'
  curl http://$broken/debug/health-sync
  $BIN/loadgen watch --url http://$broken      (and in another window:)
  $BIN/loadgen run --url http://$broken --concurrency 45 --duration 20s

  Logs: $RUN/*.log. Other ports: make up PORT=8100. Stop all: make stop.
  The vendor's ledger and faults as at the start: make reset.
TEXT
