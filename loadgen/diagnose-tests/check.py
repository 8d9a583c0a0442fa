"""Diagnoses the servers of the folder cases, and compares each answer with the truth.

Exits with 1 if an answer is wrong at high confidence, or if more than one answer in ten is inconclusive.
"""

import argparse
import json
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from processes import NotReady, free_ports, start, stop, stop_all, stop_on_signals, wait_until_it_listens
from truth import INCONCLUSIVE, RIGHT, WRONG, described, judge

HERE = Path(__file__).parent
# Longer than the budget of a diagnosis, so that only one that hangs is cut off.
LIMIT_SECONDS = 150
BURNER = [sys.executable, "-c", "while True: pass"]


def main():
    args = arguments()
    cases = all_cases()
    if args.list:
        for name, case in cases.items():
            print(f"{name:28} {described(case['truth'])}")
        return 0
    if unknown := set(args.names) - set(cases):
        print(f"test-diagnose: no such case: {', '.join(sorted(unknown))}; --list shows them", file=sys.stderr)
        return 2
    names = [name for name in args.names or cases if is_installed(name, cases[name])]
    label = "burner" if args.burner else "quiet"
    runs = [(name, cases[name], f"{label}-{round_}", args) for round_ in range(1, args.rounds + 1) for name in names]
    rows = [None] * len(runs)
    args.work.mkdir(parents=True, exist_ok=True)
    pool = ThreadPoolExecutor(args.at_once)
    try:
        if args.burner:
            start("burner", BURNER, args.work / "burner.txt", HERE, {})
        places = {pool.submit(run, *each): place for place, each in enumerate(runs)}
        for done in as_completed(places):
            rows[places[done]] = done.result()
            show(done.result())
    finally:
        # What waits does not start, and what waits for a process goes on when it has been stopped.
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        pool.shutdown()
        rows = [row for row in rows if row]
        write_tables(rows, args.work)
    return verdict(rows)


def all_cases():
    """The cases of all files, in the order in which they run."""
    files = [tomllib.loads(file.read_text()) for file in sorted((HERE / "cases").glob("*.toml"))]
    return {name: case for cases in files for name, case in cases.items()}


def arguments():
    parser = argparse.ArgumentParser(prog="check.sh", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="CASE", help="cases to run (all)")
    parser.add_argument("--rounds", type=at_least_one, default=1, metavar="N", help="runs of each case (1)")
    parser.add_argument("--at-once", type=at_least_one, default=1, metavar="N", help="cases at the same time (1)")
    parser.add_argument("--burner", action="store_true", help="beside a process that keeps one core busy")
    parser.add_argument("--no-pid", action="store_true", help="without --pid, as for a server on another machine")
    parser.add_argument("--list", action="store_true", help="list the cases and their truths")
    parser.add_argument("--work", type=Path, required=True, help=argparse.SUPPRESS)
    return parser.parse_args()


def at_least_one(text):
    """A number, from one."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def commands(case):
    """What is started, in this order: its vendor, if it has one, and the server."""
    vendor = ["mock-llm --listen 127.0.0.1:{vendor_port} " + case["vendor"]] if "vendor" in case else []
    return [*vendor, case["command"]]


def is_installed(name, case):
    """Whether its programs are; says which are not."""
    needed = [shlex.split(command)[0] for command in commands(case)]
    missing = [tool for tool in needed + case.get("needs", []) if not shutil.which(tool)]
    if missing:
        print(f"{name:28} skipped: not found: {', '.join(missing)}", flush=True)
    return not missing


def run(name, case, label, args):
    """Starts the server of a case, diagnoses it, stops it, and returns the row of the table."""
    ports = dict(zip(("port", "vendor_port"), free_ports(2)))
    owner = f"{name}-{label}"
    logs = args.work / "logs" / owner
    shutil.rmtree(logs, ignore_errors=True)
    # What the servers leave in a temporary folder is in this one, and removed when they have been stopped.
    temporary = logs / "temporary"
    temporary.mkdir(parents=True)
    environment = {key.upper(): str(port) for key, port in ports.items()} | {"TMPDIR": str(temporary)}
    began = time.monotonic()
    try:
        for place, command in enumerate(commands(case)):
            log = logs / f"server-{place}.txt"
            server = start(owner, shlex.split(command.format(**ports)), log, HERE, environment)
            listens_on = [port for key, port in ports.items() if "{" + key + "}" in command]
            wait_until_it_listens(server, listens_on[0] if listens_on else ports["port"], log)
        answer = diagnose(owner, case, ports["port"], None if args.no_pid else server.pid, logs)
    except NotReady as reason:
        answer = {"kind": "no answer", "said": str(reason), "exit_code": None}
    finally:
        stop(owner)
        shutil.rmtree(temporary, ignore_errors=True)
    row = {"case": name, "run": label, "seconds": round(time.monotonic() - began), "answer": answer}
    return row | {"truth": case["truth"], "verdict": judge(case["truth"], answer)}


def show(row):
    print(f"{row['case']:28} {row['run']:9} {row['seconds']:3} s  {row['verdict']:16} {described(row['answer'])}")
    if row["verdict"] != RIGHT:
        print(f"{'':28} {'the truth is':32} {described(row['truth'])}")
    sys.stdout.flush()


def diagnose(owner, case, port, pid, logs):
    """The answer of `loadgen diagnose`; without one, what went wrong in its place."""
    out = logs / "answer.json"
    command = ["loadgen", "diagnose", "--url", f"http://127.0.0.1:{port}", "--out", str(out)]
    command += shlex.split(case.get("arguments", "")) + (["--pid", str(pid)] if pid else [])
    log = logs / "diagnose.txt"
    process = start(owner, command, log, HERE, {})
    try:
        code = process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        code = None
    if out.exists():
        return json.loads(out.read_text())["diagnosis"] | {"exit_code": code}
    said = log.read_text().strip().splitlines() or ["nothing was said"]
    return {"kind": "no answer", "said": said[-1], "exit_code": code}


def write_tables(rows, work):
    """The table, as table.tsv and table.md."""
    head = ["case", "run", "truth", "answer", "verdict", "confidence", "seconds"]
    lines = [
        [row["case"], row["run"], described(row["truth"]), described(row["answer"]), row["verdict"],
         row["answer"].get("confidence", ""), str(row["seconds"])]
        for row in rows
    ]
    (work / "table.tsv").write_text("".join("\t".join(line) + "\n" for line in [head, *lines]))
    marked = [head, ["---"] * len(head), *lines]
    (work / "table.md").write_text("".join("| " + " | ".join(line) + " |\n" for line in marked))


def verdict(rows):
    """Says the sum, and returns the exit code."""
    count = {name: sum(row["verdict"] == name for row in rows) for name in (RIGHT, INCONCLUSIVE, WRONG)}
    others = len(rows) - sum(count.values())
    print(f"{len(rows)} runs: {count[RIGHT]} right, {count[INCONCLUSIVE]} inconclusive, {count[WRONG]} wrong at high "
          f"confidence, {others} wrong at a lower one; target/diagnose-tests/table.md")
    return 1 if not rows or count[WRONG] > 0 or count[INCONCLUSIVE] * 10 > len(rows) else 0


if __name__ == "__main__":
    stop_on_signals()
    sys.exit(main())
