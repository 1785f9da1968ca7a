"""What do steps on the rounded vector give, by quality?

Pictures fitted once from each start by its plan and coded at several qualities, with and without steps after the fit
that see the rounded vector, a ninth as many as those of the fit. PSNR is that of 8-bit pictures.

    python experiments/rounded_steps.py DATA START [START ...] --record RECORD [--signals 8]
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sparsine.cli.find_start import find_start
from sparsine.environment import environment
from sparsine.measure.rate_distortion.codecs.ours import OurCodec
from sparsine.measure.rate_distortion.config import RateDistortionConfig
from sparsine.measure.rate_distortion.pictures import as_picture
from sparsine.signals.open import open_dataset
from sparsine.storage import write_json

QUALITIES = (0, 16, 32, 48, 64, 80)


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
        originals = [as_picture(signals.load(i)) for i in range(options.signals)]
        for steps in (0, None):
            codec = OurCodec(start, RateDistortionConfig(qualities=QUALITIES, rounded_steps=steps))
            for quality, coded in codec.measure(originals).items():
                made = [one.measured for one in coded if one.measured]
                rows.append({"start": path.name, "weights": start.pattern.num_weights, "quality": quality,
                             "rounded_steps": "a ninth" if steps is None else 0,
                             "bytes": [one.num_bytes for one in made], "psnr_db": [one.psnr_db for one in made],
                             "fitted_psnr_db": [one.fitted_psnr_db for one in coded]})  # fmt: skip
                print(path.name, quality, steps, np.mean(rows[-1]["bytes"]), np.mean(rows[-1]["psnr_db"]), flush=True)
        write_json(options.record, {"kind": "rounded-steps", "record_version": 1, **environment(), "data": options.data,
                                    "signals": options.signals, "rows": rows})  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
