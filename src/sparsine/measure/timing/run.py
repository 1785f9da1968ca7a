"""A benchmark from its configuration to its record."""

import dataclasses
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from sparsine.engines.choose import check_device
from sparsine.environment import environment
from sparsine.errors import WorkFailed
from sparsine.measure.timing.config import BenchmarkConfig
from sparsine.measure.timing.problem import connected_weights, make_problem
from sparsine.measure.timing.roofline import gflops, peak_gflops
from sparsine.measure.timing.tasks import TASKS, Task
from sparsine.measure.timing.timed import Measurement, cuda_peak_bytes, interleaved, peak_bytes

TF32_TOLERANCE = 100
"""Times the tolerance of float32: TF32 rounds 2**13 times as coarsely, and sines turn that into phases."""

OnRow = Callable[[dict[str, Any]], None]


def run_benchmark(config: BenchmarkConfig, on_row: OnRow | None = None) -> dict[str, Any]:
    """Time every cell of `config`; returns the record. `on_row` is given the record so far after every row.

    The machine's peak is measured before and after; the larger one counts, for all rows.

    Raises:
        BadInput: the plain way does not fit into memory, or no such device here.
        WorkFailed: the two ways disagree, so that their times say nothing.
    """
    check_device(config.device)
    config.check_memory()
    with matrix_products(tf32=config.tf32):
        return _measured(config, on_row)


@contextmanager
def matrix_products(*, tf32: bool) -> Iterator[None]:
    """How PyTorch multiplies float32 matrices on CUDA, for a while."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _measured(config: BenchmarkConfig, on_row: OnRow | None) -> dict[str, Any]:
    record = _record(config)
    for density, num_signals in config.cells:
        record["rows"].append(_row(config, density, num_signals))
        _set_peak(record, record["peak_gflops"])
        if on_row:
            on_row(record)
    _set_peak(record, max(record["peak_gflops"], peak_gflops(config.device)))
    return record


def _record(config: BenchmarkConfig) -> dict[str, Any]:
    """A record without rows. Its options are those of BenchmarkConfig."""
    options = {f.name: getattr(config, f.name) for f in dataclasses.fields(BenchmarkConfig)}
    options = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    return {"kind": "benchmark", "name": f"bench-{config.what}", **environment(),
            "peak_gflops": peak_gflops(config.device), **options, "rows": []}  # fmt: skip


def _row(config: BenchmarkConfig, density: float, num_signals: int) -> dict[str, Any]:
    problem = make_problem(config, density, num_signals)
    # memory does not depend on steps; these runs also wake up threads and libraries
    short = TASKS[config.what](problem, dataclasses.replace(config, steps=1))
    peak = peak_bytes if config.device == "cpu" else cuda_peak_bytes
    plain_peak, ours_peak = peak(short.plain), peak(short.ours)
    task = TASKS[config.what](problem, config)
    plain, ours = interleaved((task.plain, task.ours), config.repeats)
    difference = _checked_difference(task, plain[-1], ours[-1])
    scale = num_signals / (task.plain_signals_timed or num_signals)
    plain_runs, ours_runs = [scale * run.seconds for run in plain], [run.seconds for run in ours]
    plain_seconds, ours_seconds = statistics.median(plain_runs), statistics.median(ours_runs)
    work = task.useful_multiply_adds
    return {
        "task": task.name, "density": density, "batch": num_signals, "engine": problem.engine.name,
        "plain_seconds": plain_seconds, "ours_seconds": ours_seconds, "ratio": plain_seconds / ours_seconds,
        "plain_peak_bytes": plain_peak, "ours_peak_bytes": ours_peak,
        "gflops": None if work is None else gflops(work, ours_seconds), "roofline_fraction": None,
        "width": config.width, "depth": config.depth, "size": list(config.size),
        "num_weights": problem.pattern.num_weights, "connected_weights": connected_weights(problem.pattern),
        "difference": difference,
        "plain_signals_timed": task.plain_signals_timed, "plain_runs": plain_runs, "ours_runs": ours_runs,
    }  # fmt: skip


def _checked_difference(task: Task, plain: Measurement, ours: Measurement) -> float:
    difference = task.difference(plain.result, ours.result)
    tolerance = task.tolerance * (TF32_TOLERANCE if task.config.tf32 else 1)
    if not difference <= tolerance:  # also when it is NaN
        raise WorkFailed(
            f"plain PyTorch and engine {task.engine.name!r} disagree: {task.name} at density "
            f"{task.problem.pattern.density:.3g} differs by {difference:.3g}{task.unit}, but {tolerance:g}"
            f"{task.unit} is the most; their times cannot be compared"
        )
    return difference


def _set_peak(record: dict[str, Any], peak: float) -> None:
    record["peak_gflops"] = peak
    for row in record["rows"]:
        row["roofline_fraction"] = None if row["gflops"] is None else row["gflops"] / peak
