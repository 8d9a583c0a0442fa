"""Starts processes, each as the leader of a group of its own, and stops them with those that they started."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

READY_SECONDS = 30
STOP_SECONDS = 3

# Of each owner, for example a case; `LOCK` is held to read or change these three.
STARTED = {}
GIVEN_PORTS = set()
is_ending = False
LOCK = threading.Lock()


class NotReady(Exception):
    """A server that was started does not listen."""


def start(owner, command, log, cwd, environment):
    """Starts a command; what it prints goes to the file `log`."""
    with LOCK, open(log, "w") as output:
        if is_ending:
            raise NotReady("everything is being stopped")
        process = subprocess.Popen(
            command, cwd=cwd, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )
        STARTED.setdefault(owner, []).append(process)
    return process


def stop(owner):
    """Stops what this owner started, the last first: politely, then not."""
    with LOCK:
        processes = STARTED.pop(owner, [])
    for process in reversed(processes):
        signal_group(process, signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        # Also what outlived its parent.
        signal_group(process, signal.SIGKILL)
        process.wait()


def stop_all():
    """Stops what anybody started; nothing starts after that."""
    global is_ending
    with LOCK:
        is_ending = True
        owners = list(STARTED)
    for owner in owners:
        stop(owner)


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def stop_on_signals():
    """Ends this process by an exception, so that everything is stopped on the way."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(*_):
        # A second one would end the stopping.
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        sys.exit(130)

    for number in numbers:
        signal.signal(number, end)


def free_ports(count):
    """Ports of the loopback interface that nobody uses at the moment, and that were not given to another case."""
    sockets, ports = [], []
    with LOCK:
        while len(ports) < count:
            sockets.append(socket.create_server(("127.0.0.1", 0)))
            port = sockets[-1].getsockname()[1]
            if port not in GIVEN_PORTS:
                GIVEN_PORTS.add(port)
                ports.append(port)
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
