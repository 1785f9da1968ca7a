"""A benchmark from its configuration to its record."""

import dataclasses
import statistics
from collections.abc import Callable
from typing import Any

from sparsine.benchmarks.config import BenchmarkConfig
from sparsine.benchmarks.measure import Measurement, interleaved, peak_bytes
from sparsine.benchmarks.problem import connected_weights, make_problem
from sparsine.benchmarks.roofline import gflops, peak_gflops
from sparsine.benchmarks.tasks import TASKS, Task
from sparsine.environment import environment
from sparsine.errors import WorkFailed

OnRow = Callable[[dict[str, Any]], None]


def run_benchmark(config: BenchmarkConfig, on_row: OnRow | None = None) -> dict[str, Any]:
    """Time every cell of `config`; returns the record. `on_row` is given the record so far after every row.

    The machine's peak is measured before and after; the larger one counts, for all rows.

    Raises:
        BadInput: the plain way does not fit into memory.
        WorkFailed: the two ways disagree, so that their times say nothing.
    """
    config.check_memory()
    record = _record(config)
    for density, num_signals in config.cells:
        record["rows"].append(_row(config, density, num_signals))
        _set_peak(record, record["peak_gflops"])
        if on_row:
            on_row(record)
    _set_peak(record, max(record["peak_gflops"], peak_gflops()))
    return record


def _record(config: BenchmarkConfig) -> dict[str, Any]:
    """A record without rows. Its options are those of BenchmarkConfig."""
    options = {f.name: getattr(config, f.name) for f in dataclasses.fields(BenchmarkConfig)}
    options = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    return {"kind": "benchmark", "name": f"bench-{config.what}", **environment(), "peak_gflops": peak_gflops(),
            **options, "rows": []}  # fmt: skip


def _row(config: BenchmarkConfig, density: float, num_signals: int) -> dict[str, Any]:
    problem = make_problem(config, density, num_signals)
    # memory does not depend on steps; these runs also wake up threads and libraries
    short = TASKS[config.what](problem, dataclasses.replace(config, steps=1))
    plain_peak, ours_peak = peak_bytes(short.plain), peak_bytes(short.ours)
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
    if not difference <= task.tolerance:  # also when it is NaN
        raise WorkFailed(
            f"plain PyTorch and engine {task.engine.name!r} disagree: {task.name} at density "
            f"{task.problem.pattern.density:.3g} differs by {difference:.3g}{task.unit}, but {task.tolerance:g}"
            f"{task.unit} is the most; their times cannot be compared"
        )
    return difference


def _set_peak(record: dict[str, Any], peak: float) -> None:
    record["peak_gflops"] = peak
    for row in record["rows"]:
        row["roofline_fraction"] = None if row["gflops"] is None else row["gflops"] / peak
