#!/bin/sh
# Drives the playground and the report in headless Chromium, as a person would.
#
# Needs Node 20 or later with npm, a Chromium or Chrome, the built programs (BIN), and, the first time, npm's registry.
# Everything is installed under target/page-tests; the screenshots are in target/screens. Names of checks as arguments
# (playground, report) run only those.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/target/page-tests
bin=${BIN:-target/release}
cd "$root"

missing=
for tool in node npm; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
chromium=${CHROMIUM:-}
for browser in chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
    [ -n "$chromium" ] || chromium=$(command -v "$browser" || true)
done
[ -n "$chromium" ] && [ -x "$(command -v "$chromium")" ] || missing="$missing chromium"
if [ -n "$missing" ]; then
    echo "test-page: not found:$missing. It needs Node 20 or later with npm, and Chromium or Chrome" >&2
    echo "  (Debian: apt-get install nodejs npm chromium). CHROMIUM=/path/to/it names another browser." >&2
    exit 1
fi

for program in loadgen mock-llm broken-server fixed-server; do
    [ -x "$bin/$program" ] && continue
    echo "test-page: $bin/$program is not built: run 'make build'" >&2
    exit 1
done

mkdir -p "$work"
if ! cmp -s "$here/package-lock.json" "$work/package-lock.json" || [ ! -d "$work/node_modules" ]; then
    cp "$here/package.json" "$here/package-lock.json" "$work/"
    npm ci --prefix "$work" --silent --no-fund --no-audit
fi
cp "$here"/*.mjs "$work/"
CHROMIUM="$chromium" BIN="$bin" exec node "$work/check.mjs" "$@"
