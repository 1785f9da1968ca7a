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
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np

from sparsine.environment import environment
from sparsine.fields import Pattern, Siren
from sparsine.fitting import FitConfig, fit_collection
from sparsine.fitting.collection import drawn_as_original
from sparsine.fitting.plan_search import PlanConfig, find_plans
from sparsine.measure.comparison.linear import fixed_cosines, own_cosines, principal_components
from sparsine.measure.comparison.tuning import OMEGA_PARTS, at_omegas, best_of
from sparsine.meta.run_folder import read_config, start_path
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset
from sparsine.starts.plan import FitPlan, plans_to_dict
from sparsine.starts.start import Start, load_start
from sparsine.storage import read_json, write_json

EFFORTS = ("instant", "balanced")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("run", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--signals", type=int, default=16)
    parser.add_argument("--rounds", type=int, nargs="+", default=[20, 17, 14, 11, 8])
    parser.add_argument("--omegas", type=float, nargs="+", default=list(OMEGA_PARTS),
                        help="of narrow networks, in parts of the run's omega_0")  # fmt: skip
    parser.add_argument("--plan-signals", type=int, default=4)
    options = parser.parse_args()
    config = read_config(options.run)
    dataset = open_dataset(options.data, resolution=config.grid.resolution, seed=config.split_seed)
    count = min(options.signals, len(dataset.test))
    record: dict[str, Any] = {"kind": "tuned-fits", "record_version": 1, **environment(), "data": options.data,
                              "shape": list(dataset.shape), "signals": count, "config": config.to_dict(),
                              "rows": []}  # fmt: skip
    if options.record.exists():
        record = read_json(options.record)
    done = {(row["method"], row["round"]) for row in record["rows"]}
    for round in options.rounds:
        start = load_start(start_path(options.run, round))
        search = Search(tuple(options.omegas), PlanConfig(plan_signals=options.plan_signals))
        for row in _rows(start, round, dataset, record["signals"], done, search):
            record["rows"].append(row)
            write_json(options.record, record)
            print(row["method"], row["numbers"], row.get("omega_0"), {k: round_(v) for k, v in row["mean"].items()},
                  {k: round_(v) for k, v in row.get("seconds", {}).items()}, flush=True)  # fmt: skip
    return 0


@dataclass(frozen=True)
class Search:
    """What is looked for alike for patterns and for narrow networks, except that only the latter choose omega_0."""

    omegas: tuple[float, ...]
    plans: PlanConfig


def round_(value: float) -> float:
    return round(value, 2)


def _rows(
    start: Start, round: int, dataset: Dataset, count: int, done: set[tuple[str, int]], search: Search
) -> Iterator[dict[str, Any]]:
    weights = start.pattern.num_weights
    about = {"round": round, "numbers": weights}
    if ("pattern", round) not in done:
        # the plans of earlier rounds are guesses; narrow networks are given the same search
        plans = find_plans(start, dataset.split("val"), search.plans)
        yield {**about, "method": "pattern", **_fitted(replace(start, plans=plans), dataset, count)}
    if ("narrow", round) not in done:
        yield {**about, "method": "narrow", **_narrow(start, dataset, count, search)}
    if ("cosines", round) not in done:
        test = np.stack([dataset.test.load(i) for i in range(count)]).astype(np.float64)
        train = _train(dataset)
        luma = test.shape[-1] == 3
        for method, found in (("cosines", fixed_cosines(train, test, weights, luma=luma)),
                              ("own cosines", np.stack(list(own_cosines(train, test, weights, luma=luma)))),
                              ("components", principal_components(train, test, weights))):  # fmt: skip
            reached = [psnr_db(float(np.square(a - b).mean())) for a, b in zip(test, found, strict=True)]
            yield {**about, "method": method, "psnr_db": {"linear": reached}, "mean": {"linear": np.mean(reached)},
                   **_measured(dataset, {"linear": list(zip(test, found, strict=True))})}  # fmt: skip


def _train(dataset: Dataset, most: int = 1_600) -> np.ndarray:
    return np.stack([dataset.train.load(i) for i in range(min(most, len(dataset.train)))]).astype(np.float64)


def _narrow(start: Start, dataset: Dataset, count: int, search: Search) -> dict[str, Any]:
    """A dense network with about as many weights: the best of several omega_0 on validation signals."""
    depth, ends = len(start.field.sizes) - 2, (start.field.sizes[0], start.field.sizes[-1])

    def weights(width: int) -> int:
        return width * (sum(ends) + (depth - 1) * width)

    width = min(range(2, 400), key=lambda w: abs(weights(w) - start.pattern.num_weights))
    usual = start.info["config"]["field"]["omega_0"]
    field = Siren(sizes=(ends[0], *[width] * depth, ends[1]), omega_0=usual, output_offset=start.field.output_offset)

    def planned(narrow: Start) -> tuple[dict[str, FitPlan], float]:
        tried: dict[tuple[str, float], float] = {}
        plans = find_plans(narrow, dataset.split("val"), search.plans, on_trial=partial(_note, tried))
        return plans, max(db for (effort, _), db in tried.items() if effort == "balanced")

    narrow = [replace(start, pattern=Pattern.full(one), theta=one.initial_theta(seed=1), plans={}, coding=None)
              for one in at_omegas(field, search.omegas)]  # fmt: skip
    best, plans = best_of(narrow, planned)
    chosen = replace(best, plans=plans)
    return {"numbers": chosen.pattern.num_weights, "omega_0": chosen.field.activation.omega_0,
            **_fitted(chosen, dataset, count)}  # fmt: skip


def _note(tried: dict[tuple[str, float], float], effort: str, step_size: float, reached: float) -> None:
    tried[effort, step_size] = reached


def _fitted(start: Start, dataset: Dataset, count: int) -> dict[str, Any]:
    psnr: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    drawn: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for effort in EFFORTS:
        fits = list(
            fit_collection(start, dataset.test, FitConfig(effort=effort, report=(), batch=4), indices=range(count))
        )
        psnr[effort] = [fit.psnr_db[-1] for fit in fits]
        drawn[effort] = [(fit.original, drawn_as_original(start, fit)) for fit in fits if fit.original is not None]
        seconds[effort] = float(np.mean([fit.seconds[-1] for fit in fits]))
    mean = {effort: float(np.mean(db)) for effort, db in psnr.items()}
    return {"psnr_db": psnr, "mean": mean, "seconds": seconds, "plans": plans_to_dict(start.plans),
            "biases": start.pattern.num_biases, **_measured(dataset, drawn)}  # fmt: skip


def _measured(dataset: Dataset, drawn: dict[str, list[tuple[np.ndarray, np.ndarray]]]) -> dict[str, Any]:
    """What the kind measures beside PSNR; nothing of pictures, whose records are older."""
    if len(dataset.shape) == 2 or not dataset.kind.metrics:
        return {}
    return {"metrics": {by: {metric.name: [metric.of(a.astype(np.float32), b.astype(np.float32)) for a, b in pairs]
                             for metric in dataset.kind.metrics} for by, pairs in drawn.items()}}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
