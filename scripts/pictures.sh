#!/bin/sh
# Writes the pictures of README.md: a run of the demo, in the light and in the dark scheme. `make pictures` calls it.
#
# BIN: the folder of the programs. RESULT: a result file of the demo, in place of a run of it.
set -eu

result=${RESULT:-}
if [ -z "$result" ]; then
    result=target/pictures/demo.json
    mkdir -p target/pictures
    # A run that does not hold ends here, and what was there stays.
    "$BIN/loadgen" demo both --out "$result"
fi

mkdir -p pictures
for scheme in light dark; do
    "$BIN/loadgen" report "$result" --picture "pictures/demo-$scheme.svg" --scheme "$scheme"
done
