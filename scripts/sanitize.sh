#!/usr/bin/env bash
# Builds the sparse engine's C++ with AddressSanitizer and UndefinedBehaviorSanitizer (GCC) and runs its tests with
# that build; ends with an error at the first wrong access, or if another build than that one was tested.
#
#   scripts/sanitize.sh [arguments for pytest]        PYTHON=... and CXX=... choose the interpreter and the compiler
set -euo pipefail
cd "$(dirname "$0")/.."

refuse() { echo "error: $1"; exit 2; }
python=$(command -v "${PYTHON:-.venv/bin/python}") || refuse "no ${PYTHON:-.venv/bin/python}; run 'make env' first"
python=$(realpath --no-symlinks "$python")
nanobind=$("$python" -m nanobind --cmake_dir) || refuse "the build needs nanobind: $python -m pip install nanobind"
build=$PWD/build/sanitize
export CXX=${CXX:-g++}

# not Release: nanobind would strip the names that a report needs
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSPARSINE_SANITIZE=ON \
  -DPython_EXECUTABLE="$python" -Dnanobind_DIR="$nanobind" > /dev/null
cmake --build "$build" --parallel

extension=$(ls "$build"/_native*.so)
grep -q __asan_init "$extension" || refuse "$extension was built without AddressSanitizer"

# Python imports this before anything else of ours, so that the sanitized build stands in for the installed one.
mkdir -p "$build/imports"
cat > "$build/imports/sitecustomize.py" <<EOF
import sys
from importlib.util import spec_from_file_location


class Sanitized:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return spec_from_file_location(name, "$extension") if name == "sparsine.engines._native" else None


sys.meta_path.insert(0, Sanitized)
EOF
# What the tests themselves imported and called decides whether they count.
cat > "$build/imports/only_sanitized.py" <<EOF
import sys
from pathlib import Path

import pytest


def pytest_sessionfinish():
    found = getattr(sys.modules.get("sparsine.engines._native"), "__file__", None)
    loaded = Path("/proc/self/maps").read_text()
    if found != "$extension" or "$extension" not in loaded or "libasan" not in loaded:
        pytest.exit(f"error: the tests imported {found}, not the sanitized $extension", returncode=1)
    print("\ntested: $extension")
EOF

# The sanitizer must be loaded before Python; libstdc++ with it, or it cannot see C++ exceptions. Leaks are not looked
# for: Python and PyTorch leave much behind on purpose when they end. Its report goes past pytest (--capture=sys), and
# it ends by abort(), at which pytest says which test was running.
tests=(tests/agreement/test_sparse*.py tests/engines/test_{sparse*,weighted_loss,half}.py)
env PYTHONPATH="$build/imports${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 \
  LD_PRELOAD="$("$CXX" -print-file-name=libasan.so) $("$CXX" -print-file-name=libstdc++.so)" \
  ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:abort_on_error=1 \
  UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1 \
  "$python" -m pytest -p only_sanitized -p no:cacheprovider --capture=sys "${tests[@]}" "$@"
