"""Starts processes, each as the leader of a group of its own, and stops all of them with those that they started."""

import os
import signal
import socket
import subprocess
import sys
import time

STARTED = []
READY_SECONDS = 30
STOP_SECONDS = 3


class NotReady(Exception):
    """A server that was started does not listen."""


def start(command, log, cwd, environment):
    """Starts a command; what it prints goes to the file `log`."""
    with open(log, "w") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )
    STARTED.append(process)
    return process


def stop_all():
    """Stops what was started: first politely, then not."""
    while STARTED:
        process = STARTED.pop()
        signal_group(process, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        # Also what outlived its parent.
        signal_group(process, signal.SIGKILL)
        process.wait()


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def stop_on_signals():
    """Ends this process by an exception, so that everything is stopped on the way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))


def free_ports(count):
    """Ports of the loopback interface that nobody uses at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def wait_until_it_listens(process, port, log):
    """Raises NotReady if it ends, or takes too long."""
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise NotReady(f"it does not listen on port {port}: {' '.join(process.args)}; see {log}")
