#!/usr/bin/env bash
# Every command once, on built-in signals and small made-up pictures: does an installation work at all? A minute or two.
#
#   scripts/smoke.sh BIN       BIN: the folder with python and sparsine of the installation
set -euo pipefail
bin=$(realpath --no-symlinks "$1")
work=$(mktemp -d)
viewer=
trap 'kill $viewer 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}

run() { echo "smoke: $*"; "$bin/sparsine" "$@" > said 2>&1 || { cat said; echo "error: sparsine $1 failed"; exit 1; }; }
tiny=(--recipe quick --dense-steps 20 --steps-per-round 5 --rounds 1)

"$bin/python" - <<'EOF'
import numpy as np
from pathlib import Path
from PIL import Image

Path("pictures").mkdir()
for i in range(11):
    pixels = np.random.default_rng(i).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(f"pictures/{i:02d}.{('png', 'jpg', 'webp', 'tif')[i % 4]}")
EOF

run info --engines
run learn images:pictures --out run --resolution 12x16 --width 16 "${tiny[@]}"
run learn curves --out curves --resolution 8x8 --width 8 "${tiny[@]}"
run report run
run fit run pictures --out fits --steps 2 --limit 2
run calibrate run pictures --out start.safetensors
run encode start.safetensors pictures --out codes --steps 2
run decode codes --start start.safetensors --out drawn --scale 2
run info codes/00.spn --start start.safetensors
run rate-distortion start.safetensors pictures --out rd --limit 2 --qualities 48 --jpeg 30 --webp 30 --coin-widths 4 \
  --coin-steps 1 --steps 2
run bench engines --width 16 --resolution 8x8 --batches 1 --repeats 1

"$bin/sparsine" view codes --start start.safetensors --port 0 --no-browser > view 2>&1 &
viewer=$!
"$bin/python" - <<'EOF'
import re
import time
import urllib.request
from pathlib import Path

end = time.monotonic() + 120
while not (found := re.search(r"http://127\.0\.0\.1:\d+/", Path("view").read_text())):
    assert time.monotonic() < end, Path("view").read_text()
    time.sleep(0.2)
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for path in ("", "api/codes", "thumbnail?name=00", "draw?name=00&region=0,0,1,1&size=30x40"):
    with direct.open(found[0] + path, timeout=60) as answer:
        print("smoke: view", path, len(answer.read()), "bytes")
EOF
kill -INT "$viewer"
wait "$viewer"
if grep -q Traceback view; then cat view; exit 1; fi
echo "smoke: all well"
