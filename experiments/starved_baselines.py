"""How starved are networks fitted from scratch under the paper's protocol (omega_0 = 200, Adam at 1e-4)?

Narrow SIRENs of the paper's list at random numbers, fitted to CelebA test faces at 178 x 178 for 100 steps of Adam,
over a small grid of omega_0 and step sizes. One combination after the other; those in the record already are
not done again.

    python experiments/starved_baselines.py celeba:DIR results/comparison/starved.json
"""

import argparse
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from sparsine.environment import environment
from sparsine.fields import Siren
from sparsine.fitting import FitConfig, fit_collection
from sparsine.measure.comparison.plan import random_start
from sparsine.signals import Grid
from sparsine.signals.open import open_dataset
from sparsine.storage import read_json, write_atomically
from sparsine.usage import Stopwatch

WIDTHS = (28, 38, 54)
"""The paper's narrow networks at 1.15 %, 2.2 % and 4.4 % of its weights."""
OMEGAS = (200.0, 50.0)
STEP_SIZES = (1e-4, 1e-3)
RESOLUTION = (178, 178)
SEED = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("record", type=Path)
    parser.add_argument("--signals", type=int, default=20)
    options = parser.parse_args()
    dataset = open_dataset(options.data, resolution=RESOLUTION)
    record: dict[str, Any] = {
        "kind": "starved-baselines", "record_version": 1, "data": {"spec": dataset.spec, "split": "test",
        "description": dataset.description, "shape": list(dataset.shape)}, "seed": SEED, "rows": [],
    }  # fmt: skip
    if options.record.exists():
        record = read_json(options.record)
    done = {(row["width"], row["omega_0"], row["lr"]) for row in record["rows"]}
    grid = Grid(shape=RESOLUTION)
    for width, omega_0, lr in itertools.product(WIDTHS, OMEGAS, STEP_SIZES):
        if (width, omega_0, lr) in done:
            continue
        field = Siren(sizes=(2, width, width, width, width, 3), omega_0=omega_0)
        start = random_start(field, grid, SEED, dataset.kind)
        watch = Stopwatch()
        fits = list(fit_collection(start, dataset.test, FitConfig(lr=lr), indices=range(options.signals)))
        good = [fit.psnr_db[-1] for fit in fits if fit.status == "ok"]
        row = {"width": width, "weights": field.num_weights, "biases": field.num_biases, "omega_0": omega_0, "lr": lr,
               "steps": list(fits[0].steps), "num_ok": len(good), "mean_psnr_db": sum(good) / max(len(good), 1),
               "usage": watch.usage().to_dict(), "signals": [fit.to_dict() for fit in fits]}  # fmt: skip
        record |= environment()
        record["rows"].append(row)
        write_atomically(options.record, (json.dumps(record) + "\n").encode())
        print(
            f"width {width}, omega_0 {omega_0:g}, lr {lr:g}: {row['mean_psnr_db']:.2f} dB", file=sys.stderr, flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
