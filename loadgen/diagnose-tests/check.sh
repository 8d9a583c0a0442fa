#!/bin/sh
# Diagnoses servers whose limit is known, and compares the answers with the truth: the folder cases.
#
# Needs Python 3.11 or later with venv, the built programs (BIN), and, the first time, PyPI. Everything is installed
# under target/diagnose-tests; answers, logs and the table are there too. Cases of Node, nginx and Java need node, nginx
# and a JDK: a case whose server is not installed on this machine is skipped with a message. `check.sh --help` lists the
# arguments.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/target/diagnose-tests
cd "$root"
bin=$(cd "${BIN:-target/release}" 2>/dev/null && pwd || echo "${BIN:-target/release}")

python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "test-diagnose: it needs python3, 3.11 or later, with venv (Debian: apt-get install python3-venv)" >&2
    exit 1
}
for program in loadgen mock-llm; do
    [ -x "$bin/$program" ] && continue
    echo "test-diagnose: $bin/$program is not built: run 'make build'" >&2
    exit 1
done

mkdir -p "$work"
if ! cmp -s "$here/requirements.txt" "$work/requirements.txt"; then
    [ -x "$work/python/bin/python" ] || python3 -m venv "$work/python"
    "$work/python/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$work/"
fi
export PATH="$work/python/bin:$bin:$PATH" PYTHONDONTWRITEBYTECODE=1
exec python "$here/check.py" --work "$work" "$@"
