"""Makes the starts that come with the package, from built-in signals alone: anybody gets the same.

    python scripts/make_starts.py OUT [--runs DIR]       # into OUT; src/sparsine/starts/built_in is where they live
    python scripts/make_starts.py OUT --measure celeba:DIR   # and what to expect of them, on pictures of yours

Each is a round of a run of `sparsine learn` with recipe best, its numbers rounded to half precision, with plans and
coding tables found on validation signals. An interrupted run goes on.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from sparsine.codec.calibrate import calibrate
from sparsine.codec.config import CalibrationConfig, EncodeConfig
from sparsine.codec.encode import encode_batch
from sparsine.fitting import FitConfig
from sparsine.fitting.plan_search import PlanConfig, find_plans
from sparsine.meta.config import GridConfig, LearnConfig
from sparsine.meta.run import open_run
from sparsine.meta.run_folder import start_path
from sparsine.meta.sparse import learn_sparse_start
from sparsine.psnr import averaged_db
from sparsine.recipes import best, for_size
from sparsine.signals.open import open_dataset
from sparsine.starts.start import Start, load_start, save_start


@dataclass(frozen=True)
class Made:
    """A built-in start: a round of a run on built-in signals."""

    name: str
    data: str
    shape: tuple[int, int]
    round: int
    purpose: str


STARTS = (
    Made("photos-2k", "leaves", (178, 178), 20, "pictures"),
    Made("photos-4k", "leaves", (178, 178), 17, "pictures"),
    Made("photos-9k", "leaves", (178, 178), 14, "pictures"),
    Made("photos-17k", "leaves", (178, 178), 11, "pictures"),
    Made("curves-1k", "curves", (64, 64), 23, "distance fields"),
)


def config_of(made: Made) -> LearnConfig:
    """The run that it is a round of."""
    config = replace(best(), data=made.data, grid=GridConfig(resolution=made.shape), plan=PlanConfig(plan_signals=0))
    rounds = max(other.round for other in STARTS if other.data == made.data)
    return for_size(replace(config, pruning=replace(config.pruning, rounds=rounds)), made.shape)


def make(made: Made, runs: Path) -> Start:
    """Learn, if that was not done; then plans and tables for the round that is wanted."""
    config = config_of(made)
    dataset = open_dataset(config.data, resolution=config.grid.resolution)
    folder = runs / made.data
    with open_run(config, folder, dataset, resume=True) as run:
        learn_sparse_start(config, run)
    start = load_start(start_path(folder, made.round))
    info = {"for": made.purpose, "data": made.data, "description": dataset.description, "recipe": "best",
            "round": made.round, "steps": start.info["steps"]}  # fmt: skip
    start = replace(start, theta=start.theta.half().float(), info=info)
    start = replace(start, plans=find_plans(start, dataset.split("val"), PlanConfig(plan_signals=8)))
    start = calibrate(start, dataset.split("val"), CalibrationConfig(signals=64))
    assert start.coding is not None
    return replace(start, coding=replace(start.coding, centre=start.coding.centre.half().float()))


def measured(start: Start, spec: str, count: int) -> Start:
    """With what to expect on test signals of a data set, at the start's own size."""
    dataset = open_dataset(spec, resolution=start.domain.shape)
    codes = []
    for first in range(0, min(count, len(dataset.test)), 8):
        values = [dataset.test.load(i) for i in range(first, min(first + 8, count, len(dataset.test)))]
        codes += encode_batch(start, values, EncodeConfig(fit=FitConfig(report=())))
    fine = [code for code in codes if code.status == "ok"]
    mean = averaged_db([code.psnr_db for code in fine])
    told = {"of": f"{len(fine)} test signals of {spec.partition(':')[0]}", "psnr_db": mean,
            "bytes": float(np.mean([len(code.data) for code in fine]))}  # fmt: skip
    return replace(start, info={**start.info, "expected": told})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("build/starts"))
    parser.add_argument("--measure", help="pictures that the expectation is measured on; leaves itself otherwise")
    parser.add_argument("--signals", type=int, default=16)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for made in STARTS:
        if options.only and made.name not in options.only:
            continue
        start = make(made, options.runs)
        spec = options.measure if options.measure and made.data == "leaves" else made.data
        start = measured(start, spec, options.signals)
        options.out.mkdir(parents=True, exist_ok=True)
        path = options.out / f"{made.name}.safetensors"
        save_start(path, start)
        print(made.name, start.pattern.counts, f"{path.stat().st_size:,} bytes", start.info["expected"], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
