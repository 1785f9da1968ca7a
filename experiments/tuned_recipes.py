"""What is a race of `sparsine tune` worth on signals that it has not seen?

Recipe `best` as it is beside the recipe that the race chose: both learned as `sparsine learn` does, with as many
weights, fitted to test signals by the effort that was tuned for.

    sparsine tune DATA --out RACE
    python experiments/tuned_recipes.py DATA RACE RECORD [--signals 16]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from sparsine.environment import environment
from sparsine.fitting import FitConfig, fit_collection
from sparsine.measure.tuning.candidates import Candidate
from sparsine.measure.tuning.race import UNTUNED
from sparsine.measure.tuning.records import RECORD, read_record
from sparsine.meta.config import LearnConfig
from sparsine.meta.run import open_run
from sparsine.meta.sparse import learn_sparse_start
from sparsine.signals.open import open_dataset
from sparsine.starts.plan import plans_to_dict
from sparsine.storage import write_json


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("race", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--signals", type=int, default=16)
    options = parser.parse_args()
    race = read_record(options.race / RECORD)
    rows = {name: measured(race, candidate, options.data, options.signals)
            for name, candidate in (("untuned", UNTUNED), ("tuned", race["winner"]))}  # fmt: skip
    record = {"kind": "tuned-recipes", "record_version": 1, **environment(), "data": race["data"]["spec"], "rows": rows,
              "race": race}  # fmt: skip
    write_json(options.record, record)
    for name, row in rows.items():
        print(name, row["candidate"], f"{row['mean_psnr_db']:.2f} dB", row["weights"], row["biases"])
    return 0


def measured(race: dict[str, Any], candidate: int, data: str, count: int) -> dict[str, Any]:
    """One recipe on test signals."""
    saved = {**race["request"]["base"], "data": data}
    tune = race["request"]["tune"]
    base = LearnConfig.from_dict(saved)
    dataset = open_dataset(data, resolution=base.grid.resolution, seed=base.split_seed)
    ends = (base.grid.domain(dataset.domain).num_coords, dataset.num_channels)
    config = Candidate(**race["candidates"][candidate]).config(base, tune["numbers"], ends)
    with tempfile.TemporaryDirectory() as folder, open_run(config, Path(folder) / "run", dataset) as run:
        start = learn_sparse_start(config, run)
    fitting = FitConfig(effort=tune["effort"], report=(), batch=4)
    fits = list(fit_collection(start, dataset.test, fitting, indices=range(min(count, len(dataset.test)))))
    signals = [{"input": f.name, "status": f.status, "psnr_db": f.psnr_db[-1], "seconds": f.seconds[-1]} for f in fits]
    return {"candidate": race["candidates"][candidate], "weights": start.pattern.num_weights,
            "biases": start.pattern.num_biases, "mean_psnr_db": float(np.mean([f.psnr_db[-1] for f in fits])),
            "signals": signals, "plans": plans_to_dict(start.plans)}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
