#!/usr/bin/env bash
# Builds the wheel from the archive of the sources, in isolation, and tries it as a user would meet it: is all in it and
# nothing else, does it install into an empty environment without a compiler, does every command work there?
#
#   scripts/check_wheel.sh        PYTHON=... chooses the interpreter; a few minutes, most of it the download of torch
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
work=$PWD/build/check-wheel
rm -rf "$work"

"$python" -m venv "$work/tools"
"$work/tools/bin/python" -m pip install --quiet build
mkdir -p "$work/dist"
"$work/tools/bin/python" -m build --outdir "$work/dist" -C build-dir="$work/objects" . > "$work/built" 2>&1 ||
  { cat "$work/built"; echo "error: the wheel could not be built"; exit 1; }
objects=()
if [ "$(uname -sm)" = "Linux x86_64" ]; then objects=(--objects "$work/objects"); fi
"$python" scripts/check_wheel.py "$work"/dist/* "${objects[@]}"

# What the smoke test needs of the system, and no more: nothing that could compile
mkdir "$work/system"
for tool in bash cat env grep mktemp realpath rm; do ln -s "$(command -v "$tool")" "$work/system/$tool"; done
"$python" -m venv "$work/bare"
cp scripts/smoke.sh constraints.txt "$work"
bare() { (cd "$work" && PATH="$work/bare/bin:$work/system" "$@"); }
for compiler in cc c++ gcc g++ clang clang++ cmake ninja make; do
  if bare bash -c "command -v $compiler"; then echo "error: the bare environment has $compiler"; exit 1; fi
done
wheel=("$work"/dist/*.whl)
bare python -m pip install --quiet --only-binary :all: --constraint constraints.txt "${wheel[0]}[view]"
bare bash smoke.sh bare/bin
for instructions in $(bare python -c "from sparsine.engines.native import instruction_sets; print(*instruction_sets())"); do
  SPARSINE_INSTRUCTIONS=$instructions bare sparsine encode photos-2k leaves --limit 1 --steps 2 --out "codes-$instructions" > /dev/null
  echo "coded with $instructions"
done
echo "all well: $(basename "${wheel[0]}"), in $work/dist"
