# For up.sh and stop.sh: the programs that `make up` started. RUN: the folder with their process ids.

# is_running NAME: whether it runs. A process id alone may belong to another program by now.
is_running() {
  [ -f "$RUN/$1.pid" ] && ps -p "$(cat "$RUN/$1.pid")" -o command= 2>/dev/null | grep -q "$1"
}
