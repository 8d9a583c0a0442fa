# What up.sh and stop.sh know of the programs that `make up` started. RUN: where their process ids are.

# is_running NAME: whether it runs. A process id alone may belong to another program by now.
is_running() {
  [ -f "$RUN/$1.pid" ] && ps -p "$(cat "$RUN/$1.pid")" -o command= 2>/dev/null | grep -q "$1"
}
