"""What is a sparse pattern worth, beside a narrow network and cosines, each at its own best settings?

Starts of a run of `sparsine learn`; narrow SIRENs from random numbers with as many weights, whose omega_0 and step size
are looked for on the same validation signals in the same way; a fixed set of cosines, each signal's own, and principal
components. All measured on test signals. Rows that are in the record already are not done again.

    python experiments/tuned_fits.py DATA RUN RECORD [--signals 16] [--rounds 8 11 14 17 20]
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from sparsine.comparison.linear import fixed_cosines, own_cosines, principal_components
from sparsine.environment import environment
from sparsine.fields import Pattern, Siren
from sparsine.fitting import FitConfig, fit_collection
from sparsine.fitting.plan_search import PlanConfig, find_plans
from sparsine.meta.run_folder import read_config, start_path
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset
from sparsine.starts.plan import plans_to_dict
from sparsine.starts.start import Start, load_start
from sparsine.storage import read_json, write_json

OMEGAS = (0.4, 0.6, 0.8, 1.0)
"""Of narrow networks, in parts of the run's omega_0."""
EFFORTS = ("instant", "balanced")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("run", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--signals", type=int, default=16)
    parser.add_argument("--rounds", type=int, nargs="+", default=[20, 17, 14, 11, 8])
    options = parser.parse_args()
    config = read_config(options.run)
    dataset = open_dataset(options.data, resolution=config.grid.resolution, seed=config.split_seed)
    record: dict[str, Any] = {"kind": "tuned-fits", "record_version": 1, **environment(), "data": options.data,
                              "shape": list(dataset.shape), "signals": options.signals, "config": config.to_dict(),
                              "rows": []}  # fmt: skip
    if options.record.exists():
        record = read_json(options.record)
    done = {(row["method"], row["round"]) for row in record["rows"]}
    for round in options.rounds:
        start = load_start(start_path(options.run, round))
        for row in _rows(start, round, dataset, options.signals, done):
            record["rows"].append(row)
            write_json(options.record, record)
            print(row["method"], row["numbers"], row.get("omega_0"), {k: round_(v) for k, v in row["mean"].items()},
                  {k: round_(v) for k, v in row.get("seconds", {}).items()}, flush=True)  # fmt: skip
    return 0


def round_(value: float) -> float:
    return round(value, 2)


def _rows(
    start: Start, round: int, dataset: Dataset, count: int, done: set[tuple[str, int]]
) -> Iterator[dict[str, Any]]:
    weights = start.pattern.num_weights
    about = {"round": round, "numbers": weights}
    if ("pattern", round) not in done:
        # the plans of earlier rounds are guesses; narrow networks are given the same search
        plans = find_plans(start, dataset.split("val"), PlanConfig(plan_signals=4))
        yield {**about, "method": "pattern", **_fitted(replace(start, plans=plans), dataset, count)}
    if ("narrow", round) not in done:
        yield {**about, "method": "narrow", **_narrow(start, dataset, count)}
    if ("cosines", round) not in done:
        test = np.stack([dataset.test.load(i) for i in range(count)]).astype(np.float64)
        train = _train(dataset)
        luma = test.shape[-1] == 3
        for method, found in (("cosines", fixed_cosines(train, test, weights, luma=luma)),
                              ("own cosines", np.stack(list(own_cosines(train, test, weights, luma=luma)))),
                              ("components", principal_components(train, test, weights))):  # fmt: skip
            reached = [psnr_db(float(np.square(a - b).mean())) for a, b in zip(test, found, strict=True)]
            yield {**about, "method": method, "psnr_db": {"linear": reached}, "mean": {"linear": np.mean(reached)}}


def _train(dataset: Dataset, most: int = 1_600) -> np.ndarray:
    return np.stack([dataset.train.load(i) for i in range(min(most, len(dataset.train)))]).astype(np.float64)


def _narrow(start: Start, dataset: Dataset, count: int) -> dict[str, Any]:
    """A dense network with about as many weights: the best of several omega_0 on validation signals."""
    depth, ends = len(start.field.sizes) - 2, (start.field.sizes[0], start.field.sizes[-1])

    def weights(width: int) -> int:
        return width * (sum(ends) + (depth - 1) * width)

    width = min(range(2, 400), key=lambda w: abs(weights(w) - start.pattern.num_weights))
    usual = start.info["config"]["field"]["omega_0"]
    best: tuple[float, Start] | None = None
    for part in OMEGAS:
        field = Siren(sizes=(ends[0], *[width] * depth, ends[1]), omega_0=part * usual,
                      output_offset=start.field.output_offset)  # fmt: skip
        tried: dict[tuple[str, float], float] = {}
        narrow = replace(start, pattern=Pattern.full(field), theta=field.initial_theta(seed=1), plans={}, coding=None)
        plans = find_plans(narrow, dataset.split("val"), PlanConfig(plan_signals=4), on_trial=partial(_note, tried))
        reached = max(db for (effort, _), db in tried.items() if effort == "balanced")
        if best is None or reached > best[0]:
            best = reached, replace(narrow, plans=plans)
    assert best is not None
    chosen = best[1]
    return {"numbers": chosen.pattern.num_weights, "omega_0": chosen.field.activation.omega_0,
            **_fitted(chosen, dataset, count)}  # fmt: skip


def _note(tried: dict[tuple[str, float], float], effort: str, step_size: float, reached: float) -> None:
    tried[effort, step_size] = reached


def _fitted(start: Start, dataset: Dataset, count: int) -> dict[str, Any]:
    psnr: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for effort in EFFORTS:
        fits = list(
            fit_collection(start, dataset.test, FitConfig(effort=effort, report=(), batch=4), indices=range(count))
        )
        psnr[effort] = [fit.psnr_db[-1] for fit in fits]
        seconds[effort] = float(np.mean([fit.seconds[-1] for fit in fits]))
    return {"psnr_db": psnr, "mean": {effort: float(np.mean(db)) for effort, db in psnr.items()}, "seconds": seconds,
            "plans": plans_to_dict(start.plans), "biases": start.pattern.num_biases}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
