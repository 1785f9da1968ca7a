"""What do steps on the rounded vector give, by quality?

Photographs fitted from starts by their plans and coded at several qualities, with and without steps after the fit that see
the rounded vector, a ninth as many as those of the fit.

    python experiments/rounded_steps.py DATA START [START ...] --record RECORD [--signals 8]
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sparsine.cli.find_start import find_start
from sparsine.codec.config import EncodeConfig
from sparsine.codec.encode import encode_batch
from sparsine.environment import environment
from sparsine.signals.open import open_dataset
from sparsine.storage import write_json

QUALITIES = (80, 64, 48, 32, 16, 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("starts", type=Path, nargs="+")
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--signals", type=int, default=8)
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for path in options.starts:
        start = find_start(path, None)[1]
        signals = open_dataset(options.data, resolution=start.domain.shape).test
        values = [signals.load(i) for i in range(options.signals)]
        for quality in QUALITIES:
            for steps in (0, None):
                made = encode_batch(start, values, EncodeConfig(quality=quality, rounded_steps=steps))
                rows.append({"start": path.name, "weights": start.pattern.num_weights, "quality": quality,
                             "rounded_steps": "a ninth" if steps is None else 0,
                             "bytes": [len(e.data) for e in made], "psnr_db": [e.psnr_db for e in made],
                             "fitted_psnr_db": [e.fitted_psnr_db for e in made]})  # fmt: skip
                print(path.name, quality, steps, np.mean(rows[-1]["bytes"]), np.mean(rows[-1]["psnr_db"]), flush=True)
    write_json(options.record, {"kind": "rounded-steps", "record_version": 1, **environment(), "data": options.data,
                                "signals": options.signals, "rows": rows})  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
