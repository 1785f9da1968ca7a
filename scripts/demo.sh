#!/usr/bin/env bash
# From nothing to small files: learns a start for built-in signals, measures it, fits, codes and draws. Three minutes.
#
#   scripts/demo.sh SPARSINE FOLDER       SPARSINE: the command; FOLDER: where all of it is written
set -euo pipefail
sparsine=$1 out=$2

run() { echo "$ sparsine $*"; "$sparsine" "$@"; }
run learn curves --out "$out/run" --recipe quick
run report "$out/run"
run fit "$out/run" curves --limit 6 --out "$out/fitted"
run calibrate "$out/run" curves --out "$out/start.safetensors"
run encode "$out/start.safetensors" curves --limit 24 --out "$out/codes"
run decode "$out/codes" --start "$out/start.safetensors" --size 256x256 --out "$out/drawn"

out=$(cd "$out" && pwd)
echo
echo "look at: $out/run/report.html"
echo "     and $out/fitted/pictures (original | fitted | error)"
echo "     and $out/drawn (codes of a few hundred bytes, drawn at 256 x 256)"
echo "or say: $sparsine view $out/codes --start $out/start.safetensors"
