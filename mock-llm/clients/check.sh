#!/bin/sh
# Runs OpenAI's official clients for Python and Node, unmodified, against mock-llm.
#
# Needs cargo, Python 3.9 or later with venv, Node 20 or later with npm, and, the first time, the
# package registries. Everything is installed under target/clients. Exits with 1 when anything
# differs. With MOCK_BIN set, that program is used and nothing is built.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/target/clients
key=check-key

for tool in python3 node npm; do
    command -v "$tool" >/dev/null || { echo "clients/check.sh: '$tool' is needed and was not found" >&2; exit 1; }
done
mkdir -p "$work"

bin=${MOCK_BIN:-}
if [ -z "$bin" ]; then
    cargo build --quiet --manifest-path "$root/Cargo.toml" --package mock-llm
    bin=${CARGO_TARGET_DIR:-$root/target}/debug/mock-llm
fi

[ -x "$work/python/bin/python" ] || python3 -m venv "$work/python"
"$work/python/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/python/requirements.txt"
mkdir -p "$work/node"
cp "$here/node/package.json" "$here/node/check.mjs" "$work/node/"
npm install --prefix "$work/node" --silent --no-fund --no-audit

"$bin" --listen 127.0.0.1:0 --api-key "$key" --strict-models --ttft 5ms --inter-token 1ms 2>"$work/mock.log" &
mock=$!
trap 'kill "$mock" 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM
until url=$(sed -n 's/.*listening on \(http:.*\)/\1/p' "$work/mock.log") && [ -n "$url" ]; do
    kill -0 "$mock" 2>/dev/null || { cat "$work/mock.log" >&2; exit 1; }
    sleep 0.1
done

result=0
"$work/python/bin/python" "$here/python/check.py" "$url/v1" "$key" || result=1
node "$work/node/check.mjs" "$url/v1" "$key" || result=1
exit "$result"
