"""Fields on the globe: what is a sparse pattern worth beside narrow networks and what one would use instead?

RMSE in the unit, by area, on test fields. Numbers are all that a field stores: surviving weights and live biases.
Narrow networks are given as many, omega_0 and step sizes looked for on the same validation fields in the same way.
Cosines, harmonics and components have the mean of the training fields added back, for nothing; runs of less_the_mean.py
have it too. Rows that are in the record already are not done again.

    python experiments/sphere_fits.py SPEC RUN RECORD --rounds 22 25 30 34 [--less-mean RUN] [--bytes START ...]
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from less_the_mean import open_less_the_mean

from sparsine.codec.encode import decode, encode_batch
from sparsine.environment import environment
from sparsine.fields import Pattern, Siren
from sparsine.fields.liveness import live_params
from sparsine.fitting import FitConfig, fit_collection
from sparsine.fitting.collection import drawn_as_original
from sparsine.fitting.plan_search import PlanConfig, find_plans
from sparsine.measure.comparison.linear import fixed_cosines, own_cosines, principal_components
from sparsine.meta.run_folder import read_config, start_path
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset
from sparsine.signals.sphere import Sphere
from sparsine.signals.weights import weights_of
from sparsine.starts.plan import plans_to_dict
from sparsine.starts.start import Start, load_start
from sparsine.storage import read_json, write_json

OMEGAS = (0.3, 0.5, 0.75, 1.0)
"""Of narrow networks, in parts of the run's omega_0."""
EFFORTS = ("balanced", "best")
PLANS = PlanConfig(plan_signals=3)
TOLERANCES = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Largest errors that zfp and SZ3 are asked for, in the unit."""
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("run", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--rounds", type=int, nargs="*", default=[22, 25, 30, 34])
    parser.add_argument("--less-mean", type=Path)
    parser.add_argument("--less-mean-rounds", type=int, nargs="*", default=[])
    parser.add_argument("--bytes", type=Path, nargs="*", default=[], help="calibrated starts")
    options = parser.parse_args()
    dataset = open_dataset(options.data)
    told = options.data.replace(str(Path(options.data.partition(":")[2].partition("?")[0]).parent) + "/", "")
    record: dict[str, Any] = {"kind": "sphere-fits", "record_version": 1, **environment(), "data": told,
                              "description": dataset.description, "shape": list(dataset.shape),
                              "signals": len(dataset.test), "unit": dataset.kind.unit,
                              "config": read_config(options.run).to_dict() | {"data": told}, "rows": []}  # fmt: skip
    if options.record.exists():
        record = read_json(options.record)
    done = {(row["method"], row["of"]) for row in record["rows"]}

    def add(method: str, of: str, make: Callable[[], Row | list[Row]]) -> None:
        if (method, of) in done:
            return
        made = make()
        for row in made if isinstance(made, list) else [made]:
            record["rows"].append({"method": method, "of": of, **row})
            print(
                method, of, {k: row[k] for k in ("numbers", "bytes", "mean_rmse", "val_rmse") if k in row}, flush=True
            )
        write_json(options.record, record)

    less_mean = open_less_the_mean(f"less-mean:{options.data}", options.data, None, 0)
    counts = []
    for round in options.rounds:
        start = load_start(start_path(options.run, round))
        numbers = int(live_params(start.pattern).sum())
        counts.append(numbers)
        add("pattern", str(round), lambda start=start: _searched(start, dataset))
        for method, make in _linear(dataset, numbers):
            add(method, str(round), lambda make=make, numbers=numbers: {"numbers": numbers, **make()})
    for round in options.less_mean_rounds:
        start = load_start(start_path(options.less_mean, round))
        add("pattern less the mean", str(round), lambda start=start: _searched(start, less_mean))
    for round, numbers in zip(options.rounds, counts, strict=True):
        start = load_start(start_path(options.run, round))
        add("narrow", str(round), lambda start=start, n=numbers: _narrow(start, n, dataset))
        add("narrow less the mean", str(round), lambda start=start, n=numbers: _narrow(start, n, less_mean))
    for path in options.bytes:
        add("code", path.stem, lambda path=path: _codes(load_start(path), dataset))
    add("zfp", "tolerance", lambda: _zfp(dataset))
    add("sz3", "tolerance", lambda: _sz3(dataset))
    return 0


def rmse(dataset: Dataset, original: np.ndarray, drawn: np.ndarray) -> float:
    """In the unit, by area."""
    metric = dataset.kind.metrics[0]
    found = metric.measure(original, np.asarray(drawn, np.float32), weights_of(dataset.domain, original))
    assert metric.name == "rmse"
    assert found is not None
    return found


def _fields(signals: Any) -> np.ndarray:
    return np.stack([signals.load(i) for i in range(len(signals))]).astype(np.float64)


def _searched(start: Start, dataset: Dataset) -> Row:
    """A start with plans of its own."""
    plans = find_plans(start, dataset.split("val"), PLANS)
    return _fitted(replace(start, plans=plans), dataset)


def _fitted(start: Start, dataset: Dataset) -> Row:
    found: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    for effort in EFFORTS:
        fits = list(fit_collection(start, dataset.test, FitConfig(effort=effort, report=())))
        found[effort] = [rmse(dataset, fit.original, drawn_as_original(start, fit)) for fit in fits
                         if fit.original is not None]  # fmt: skip
        seconds[effort] = float(np.mean([fit.seconds[-1] for fit in fits]))
    return {"numbers": int(live_params(start.pattern).sum()), "weights": start.pattern.num_weights, "rmse": found,
            "mean_rmse": {effort: float(np.mean(values)) for effort, values in found.items()},
            "val_rmse": _val(start, dataset), "seconds": seconds,
            "plans": plans_to_dict(start.plans)}  # fmt: skip


def _val(start: Start, dataset: Dataset) -> float:
    """Mean over the validation fields that plans are looked for with, at `balanced`."""
    fits = fit_collection(
        start, dataset.val, FitConfig(effort="balanced", report=()), indices=range(PLANS.plan_signals)
    )
    return float(
        np.mean([rmse(dataset, f.original, drawn_as_original(start, f)) for f in fits if f.original is not None])
    )


def _narrow(start: Start, numbers: int, dataset: Dataset) -> Row:
    """A dense network with about as many numbers: the best of several omega_0 on validation fields."""
    depth, ends = len(start.field.sizes) - 2, (start.field.sizes[0], start.field.sizes[-1])

    def total(width: int) -> int:
        return width * (sum(ends) + (depth - 1) * width) + depth * width + ends[1]

    width = min(range(2, 400), key=lambda w: abs(total(w) - numbers))
    usual, best = start.info["config"]["field"]["omega_0"], None
    for part in OMEGAS:
        field = Siren(sizes=(ends[0], *[width] * depth, ends[1]), omega_0=part * usual,
                      output_offset=start.field.output_offset)  # fmt: skip
        narrow = replace(start, pattern=Pattern.full(field), theta=field.initial_theta(seed=1), plans={}, coding=None)
        narrow = replace(narrow, plans=find_plans(narrow, dataset.split("val"), PLANS))
        reached = _val(narrow, dataset)
        if best is None or reached < best[0]:
            best = reached, narrow
    assert best is not None
    return {"omega_0": best[1].field.activation.omega_0, **_fitted(best[1], dataset)}


def _linear(dataset: Dataset, numbers: int) -> Iterator[tuple[str, Callable[[], Row]]]:
    train, test = _fields(dataset.train), _fields(dataset.test)

    def told(found: Callable[[], np.ndarray]) -> Callable[[], Row]:
        def made() -> Row:
            reached = [rmse(dataset, a.astype(np.float32), b) for a, b in zip(test, found(), strict=True)]
            return {"rmse": {"linear": reached}, "mean_rmse": {"linear": float(np.mean(reached))}}

        return made

    yield "cosines", told(lambda: fixed_cosines(train, test, numbers, luma=False))
    yield "own cosines", told(lambda: np.stack(list(own_cosines(train, test, numbers, luma=False))))
    yield "components", told(lambda: principal_components(train, test, numbers))
    yield "harmonics", told(lambda: _harmonics(dataset, train.mean(axis=0), test, numbers))
    yield "mean", told(lambda: np.broadcast_to(train.mean(axis=0), test.shape))


def _harmonics(dataset: Dataset, mean: np.ndarray, test: np.ndarray, numbers: int) -> np.ndarray:
    """Real spherical harmonics up to the degree that the count allows, by least squares over the areas."""
    from scipy.special import sph_harm_y

    domain = dataset.domain
    assert isinstance(domain, Sphere)
    north, east = np.deg2rad(90 - domain.axis(0).numpy())[:, None], np.deg2rad(domain.axis(1).numpy())[None]
    columns = []
    for degree in range(int(numbers**0.5)):
        for order in range(degree + 1):
            wave = sph_harm_y(degree, order, north, east)
            columns += [wave.real.ravel()] if order == 0 else [wave.real.ravel(), wave.imag.ravel()]
    basis, areas = np.stack(columns, axis=1), domain.weights()
    assert areas is not None
    root = np.sqrt(areas.double().numpy())[:, None]
    rest = (test - mean).reshape(len(test), -1).T
    told, *_ = np.linalg.lstsq(root * basis, root * rest, rcond=None)
    return mean + (basis @ told).T.reshape(test.shape)


def _codes(start: Start, dataset: Dataset) -> Row:
    from sparsine.codec.config import EncodeConfig

    fields = [dataset.test.load(i) for i in range(len(dataset.test))]
    made = encode_batch(start, fields, EncodeConfig(fit=FitConfig(effort="best")))
    reached = [rmse(dataset, field, decode(start, one.data).render()) for field, one in zip(fields, made, strict=True)]
    return {"numbers": int(live_params(start.pattern).sum()), "rmse": {"best": reached},
            "bytes": [len(one.data) for one in made], "mean_rmse": {"best": float(np.mean(reached))}}  # fmt: skip


def _zfp(dataset: Dataset) -> list[Row]:
    import zfpy

    return _by_tolerance(
        dataset, lambda field, most: _through(zfpy.compress_numpy(field, tolerance=most), zfpy.decompress_numpy)
    )


def _sz3(dataset: Dataset) -> list[Row]:
    from pysz import sz, szConfig, szErrorBoundMode

    def one(field: np.ndarray, most: float) -> tuple[int, np.ndarray]:
        config = szConfig()
        config.errorBoundMode, config.absErrorBound = szErrorBoundMode.ABS, most
        data, _ = sz.compress(field, config)
        drawn, _ = sz.decompress(data, np.float32, field.shape)
        return len(data), drawn

    return _by_tolerance(dataset, one)


def _through(data: bytes, decompress: Callable[[bytes], np.ndarray]) -> tuple[int, np.ndarray]:
    return len(data), decompress(data)


def _by_tolerance(dataset: Dataset, one: Callable[[np.ndarray, float], tuple[int, np.ndarray]]) -> list[Row]:
    """Mean bytes and RMSE of each tolerance, in the unit."""
    rows = []
    for most in TOLERANCES:
        sizes, reached = [], []
        for i in range(len(dataset.test)):
            original = dataset.test.load(i)
            size, drawn = one(np.ascontiguousarray(dataset.kind.in_unit(original)[..., 0]), most)
            sizes.append(size)
            reached.append(rmse(dataset, original, dataset.kind.from_unit(drawn)[..., None]))
        rows.append({"tolerance": most, "bytes": sizes, "rmse": {"tolerance": reached},
                     "mean_rmse": {"tolerance": float(np.mean(reached))}})  # fmt: skip
    return rows


if __name__ == "__main__":
    sys.exit(main())
