"""What is a sparse pattern worth for solids, beside a narrow network and cosines, and its codes beside Draco?

Starts of a run of `sparsine learn mesh:DIR`, fitted by their own plans to the test shapes; narrow SIREN from random
numbers with as many weights, whose step size is the better of two on a validation shape; cosines. All are judged on a
lattice that no fit saw. Codes are of the same fits; Draco codes the meshes, decimated. Rows that are in the record
already are not done again. Needs DracoPy and fast-simplification.

    python experiments/shapes.py mesh:DIR RUN RECORD [--rounds 9 11 14 17] [--judged 128]
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

from sparsine.codec import decode
from sparsine.codec.calibrate import calibrate
from sparsine.codec.coder import Coder
from sparsine.codec.config import CalibrationConfig, EncodeConfig
from sparsine.environment import environment
from sparsine.fields import Pattern, Siren
from sparsine.fitting import FitConfig, fit_collection
from sparsine.fitting.collection import FittedSignal, render
from sparsine.measure.comparison.linear import fixed_cosines, own_cosines, principal_components
from sparsine.meta.run_folder import read_config, start_path
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset
from sparsine.signals.sources.mesh import Solids
from sparsine.starts.start import Start, load_start
from sparsine.storage import read_json, write_json

STEP_SIZES = (2e-3, 4e-3)
"""Of narrow networks."""
QUALITIES = (48, 64, 80)
TRIANGLES = (125, 250, 500, 1_000, 2_000, 4_000)
BITS = 10
"""Of a coordinate that Draco keeps: finer ones cost bytes and change nothing that is measured here."""
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("run", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--rounds", type=int, nargs="+", default=[9, 17, 14, 11])
    parser.add_argument("--judged", type=int, default=128)
    options = parser.parse_args()
    config = read_config(options.run)
    dataset, judge = (open_dataset(options.data, resolution=resolution, seed=config.split_seed)
                      for resolution in (config.grid.resolution, (options.judged,)))  # fmt: skip
    record: dict[str, Any] = {"kind": "shapes", "record_version": 1, **environment(), "data": dataset.description,
                              "shape": list(dataset.shape), "judged_on": list(judge.shape),
                              "test": [dataset.test.name(i) for i in range(len(dataset.test))],
                              "config": config.to_dict(), "rows": []}  # fmt: skip
    if options.record.exists():
        record = read_json(options.record)
    done = {(row["method"], row["round"]) for row in record["rows"]}

    def keep(row: Row) -> None:
        record["rows"].append(row)
        write_json(options.record, record)
        print({name: value for name, value in row.items() if name != "metrics"}, row["metrics"]["iou"], flush=True)

    if ("Draco", None) not in done:
        for row in draco(dataset, judge):
            keep(row)
    for round in options.rounds:
        start = load_start(start_path(options.run, round))
        for method, measure in (("pattern", pattern), ("narrow", narrow), ("cosines", linear)):
            if (method, round) not in done:
                for row in measure(start, dataset, judge):
                    keep({"round": round, **row})
    return 0


def pattern(start: Start, dataset: Dataset, judge: Dataset) -> Iterator[Row]:
    fits = _fits(start, dataset)
    yield {"method": "pattern", **_numbers(start), **_told(start, fits, judge)}
    coded = calibrate(start, dataset.val, CalibrationConfig(fit=FitConfig(effort="instant", batch=4)))
    coder = Coder(coded)
    for quality in QUALITIES:
        shift = EncodeConfig(quality=quality).step_shift
        codes = [coder.write(fit.theta, dataset.shape, step_shift=shift, notes=dataset.test.about(index))
                 for index, fit in enumerate(fits) if fit.theta is not None]  # fmt: skip
        drawn = [decode(coded, code).render(judge.shape) for code in codes]
        yield {"method": "code", "quality": quality, **_numbers(start), "bytes": [len(code) for code in codes],
               "metrics": _measured(judge, drawn)}  # fmt: skip


def narrow(start: Start, dataset: Dataset, judge: Dataset) -> Iterator[Row]:
    depth = len(start.field.sizes) - 2

    def weights(width: int) -> int:
        return width * (4 + (depth - 1) * width)

    width = min(range(2, 400), key=lambda w: abs(weights(w) - start.pattern.num_weights))
    field = Siren(sizes=(3, *[width] * depth, 1), omega_0=start.info["config"]["field"]["omega_0"],
                  output_offset=start.field.output_offset)  # fmt: skip
    dense = replace(start, pattern=Pattern.full(field), theta=field.initial_theta(seed=1), coding=None)
    tried = {}
    for step_size in STEP_SIZES:
        (fit,) = fit_collection(dense, dataset.val, FitConfig(effort="fast", lr=step_size, report=()), indices=[0])
        tried[step_size] = fit.psnr_db[-1]
    best = max(tried, key=lambda step_size: tried[step_size])
    yield {"method": "narrow", **_numbers(dense), "step_size": best,
           **_told(dense, _fits(dense, dataset, lr=best), judge)}  # fmt: skip


def linear(start: Start, dataset: Dataset, judge: Dataset) -> Iterator[Row]:
    """Judged between their samples by cubic splines."""
    count = start.pattern.num_weights
    test = np.stack([dataset.test.load(i) for i in range(len(dataset.test))]).astype(np.float64)
    train = np.stack([dataset.train.load(i) for i in range(len(dataset.train))]).astype(np.float64)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "cosines": lambda: fixed_cosines(train, test, count, luma=False),
        "own cosines": lambda: np.stack(list(own_cosines(train, test, count, luma=False))),
        "components": lambda: principal_components(train, test, count),
    }
    for method, found in ways.items():
        told = found()
        reached = [psnr_db(float(np.square(a - b).mean())) for a, b in zip(test, told, strict=True)]
        yield {"method": method, "numbers": count, "psnr_db": reached,
               "metrics": _measured(judge, [_finer(one, judge.shape) for one in told])}  # fmt: skip


def draco(dataset: Dataset, judge: Dataset) -> Iterator[Row]:
    import DracoPy
    import fast_simplification

    from sparsine.signals.cache import Cached
    from sparsine.signals.kinds import Shape
    from sparsine.signals.solid import Solid

    kind = dataset.kind
    assert isinstance(kind, Shape)
    solids = dataset.test.uncached if isinstance(dataset.test, Cached) else dataset.test
    assert isinstance(solids, Solids)
    for triangles in TRIANGLES:
        drawn, sizes = [], []
        for index in range(len(solids)):
            solid = solids.solid(index)
            part = max(0.0, 1 - triangles / len(solid.faces))
            points, faces = fast_simplification.simplify(solid.vertices.astype(np.float32), solid.faces, part)
            code = DracoPy.encode(points, faces, quantization_bits=BITS, compression_level=10)
            mesh = DracoPy.decode(code)
            points = np.array(mesh.points, dtype=np.float64).reshape(-1, 3)
            again = Solid(points, np.array(mesh.faces, dtype=np.int64).reshape(-1, 3))
            drawn.append(again.values(judge.shape, kind.band)[..., None])
            sizes.append(len(code))
        yield {"method": "Draco", "round": None, "triangles": triangles, "bits": BITS, "bytes": sizes,
               "metrics": _measured(judge, drawn)}  # fmt: skip


def _numbers(start: Start) -> Row:
    return {"numbers": start.pattern.num_weights, "biases": start.pattern.num_biases,
            "told": len(Coder(replace(start, coding=None)).groups)}  # fmt: skip


def _fits(start: Start, dataset: Dataset, **more: Any) -> list[FittedSignal]:
    return list(fit_collection(start, dataset.test, FitConfig(effort="balanced", report=(), batch=2, **more)))


def _told(start: Start, fits: list[FittedSignal], judge: Dataset) -> Row:
    thetas = [fit.theta for fit in fits if fit.theta is not None]
    return {"psnr_db": [fit.psnr_db[-1] for fit in fits], "seconds": [fit.seconds[-1] for fit in fits],
            "metrics": _measured(judge, list(render(start, thetas, judge.shape)))}  # fmt: skip


def _finer(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from scipy.ndimage import zoom

    factors = [n / m for n, m in zip(shape, values.shape[:-1], strict=True)]
    return zoom(values[..., 0], factors, order=3)[..., None]


def _measured(judge: Dataset, drawn: list[np.ndarray]) -> dict[str, list[float | None]]:
    """What the kind measures of each test shape."""
    found: dict[str, list[float | None]] = {metric.name: [] for metric in judge.kind.metrics}
    for index, values in enumerate(drawn):
        original = judge.test.load(index)
        for metric in judge.kind.metrics:
            found[metric.name].append(metric.of(original, values.astype(np.float32)))
    return found


if __name__ == "__main__":
    sys.exit(main())
