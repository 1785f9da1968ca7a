"""A finished run, measured: held-out signals fitted from the start of every round, and from scratch.

evaluation/<row>.json        one record a row: scratch, round-00, round-01, ...
evaluation/pictures/         the first signals: original, and as drawn from each row's fits
evaluation.json              all rows with where they were measured
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Annotated, Any

from sparsine.checks import Named, check_range
from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.evenly import evenly
from sparsine.fields.pattern import Pattern
from sparsine.fitting.config import FitConfig, how_sampled, recorded
from sparsine.measure.records import head, metrics_of
from sparsine.measure.score import draw_fit, measure_start
from sparsine.meta.config import LearnConfig
from sparsine.meta.run_data import pinned_to_measure
from sparsine.meta.run_folder import read_config, start_path, starts_of
from sparsine.parts import NUMBER, fault
from sparsine.signals.dataset import Dataset
from sparsine.signals.manifest import digest_of
from sparsine.starts.start import Start, load_start
from sparsine.storage import read_json, write_json

KIND, VERSION = "evaluation", 2
_ROW = {
    "name": str, "weights": int, "biases": int, "total": int, "density": float, "round": (int, None),
    "outer_steps": (int, None), "learn_seconds": (float, None), "fit_seconds": float, "steps": [int],
    "mean_psnr_db": [NUMBER], "signals": [{"input": str, "status": str}], "made_from": {},
}  # fmt: skip
"""What readers of a row rely on."""


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """What is measured. Defaults are the paper's test-time protocol on a few signals."""

    signals: Annotated[int, Named("limit", "signals")] = 16
    """Only so many signals, from the front of the test split."""
    pictures: int = 4
    """How many of them are drawn."""
    rounds: Annotated[tuple[int, ...] | None, Named("levels", "rounds")] = None
    """Rounds whose starts are measured; None is all. Of a run that only looks for a pattern, None is six of those with
    a third as many weights as a signal has values, or fewer."""
    fit: FitConfig = field(default_factory=FitConfig)
    """How they are fitted."""

    def __post_init__(self) -> None:
        for number in self.rounds or ():
            check_range("rounds", number, 0, 10_000)
        check_range("signals", self.signals, 1, 10**6)
        check_range("pictures", self.pictures, 0, 100)


def evaluate_run(
    folder: Path | str,
    dataset: Dataset,
    config: EvaluationConfig,
    on_row: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure the starts of the run in `folder` on the test signals that it left aside when it learned, wherever they
    are in `dataset` now. Rows measured before on the same signals with the same start and protocol are kept.

    Args:
        on_row: told (row, number of it, number of rows) before each row.

    Raises:
        BadInput: no run, or no finished round; or none of these signals is there as it was.
        WorkFailed: a file cannot be written.
    """
    dataset.split("test")
    folder = Path(folder)
    learn = read_config(folder)
    paths = starts_of(folder)
    if not paths:
        raise BadInput(
            f"{folder} has no finished round yet; wait, or go on with: sparsine learn {learn.data} --out "
            f"{folder} --resume"
        )
    pinned = pinned_to_measure(folder, dataset, config.signals)
    dataset, count = pinned.dataset, min(config.signals, len(pinned.dataset.test))
    few = f"the test split has {counted(count, 'signal')}: so many are measured, not {config.signals}"
    notes = [*pinned.notes, *([few] if count < config.signals else [])]
    measured = digest_of({dataset.test.name(i): dataset.test.fingerprint(i) for i in range(count)})
    rows = []
    todo = _rows(paths, config.rounds, learn, prod(dataset.shape) * dataset.num_channels)
    for number, (name, path) in enumerate(todo):
        if on_row:
            on_row(name, number, len(todo))
        start = load_start(path)
        start = _scratch(start, learn.seed) if name == "scratch" else start
        rows.append(_measured(folder, name, start, dataset, measured, config, learn.engine, learn.device))
    record = {
        **head(KIND, VERSION), "config": learn.to_dict(),
        "data": {"spec": dataset.spec, "description": dataset.description, "value_kind": dataset.kind.name,
                 "shape": list(dataset.shape), "split": "test", "signals": count, "signals_sha256": measured,
                 "is_that_of_the_run": pinned.data is not None, "notes": notes,
                 "metrics": {metric.name: metric.label for metric in dataset.kind.metrics}},
        "protocol": recorded(config.fit.by(load_start(paths[-1]).plans)),
        "rows": rows,
    }  # fmt: skip
    write_json(folder / "evaluation.json", record)
    return record


def mean_psnr_db(signals: list[dict[str, Any]]) -> list[float]:
    """Mean over the signals whose status is ok, at every reported step."""
    curves = [metrics_of(s)["psnr_db"] for s in signals if s["status"] == "ok"]
    return [sum(at) / len(at) for at in zip(*curves, strict=True)]


def _rows(
    paths: list[Path], rounds: tuple[int, ...] | None, learn: LearnConfig, num_values: int
) -> list[tuple[str, Path]]:
    """What is measured, by name: the dense field at random numbers, then starts. Where no numbers were learned the
    former would be the first of the latter, and dense fields would take hours to say nothing."""
    every = [(path.stem, path) for path in paths]
    if rounds is not None:
        named = {start_path(paths[0].parent.parent, number).stem for number in rounds}
        if missing := sorted(named - {name for name, _ in every}):
            raise BadInput(f"the run has no {', '.join(missing)}; it has {every[0][0]} to {every[-1][0]}")
        return [(name, path) for name, path in every if name in named]
    if learn.learns_numbers:
        return [("scratch", paths[0]), *every]
    small = [one for one in every if 3 * load_start(one[1]).pattern.num_weights <= num_values]
    return evenly(small if len(small) > MOST_ROWS else every[-MOST_ROWS:], MOST_ROWS)


def _scratch(start: Start, seed: int) -> Start:
    """The same dense field at random numbers: what meta-learning is compared with."""
    pattern = Pattern.full(start.field)
    return Start(pattern, start.field.initial_theta(seed + 1), start.domain, kind=start.kind, plans=start.plans)


MOST_ROWS = 6
"""Of a run that looks for a pattern."""


def _kept(path: Path, made_from: dict[str, Any]) -> dict[str, Any] | None:
    """A row that was measured before, from the same; None where there is none, or one that is damaged."""
    row: Any = None
    if path.is_file():
        with suppress(BadInput):
            row = read_json(path)
    return row if not fault(row, _ROW) and row["made_from"] == made_from else None


def _measured(
    folder: Path, name: str, start: Start, dataset: Dataset, measured: str, config: EvaluationConfig, engine: str,
    device: str,
) -> dict[str, Any]:  # fmt: skip
    path, fit = folder / "evaluation" / f"{name}.json", config.fit.by(start.plans)
    count = min(config.signals, len(dataset.test))
    made_from = {"start": start.digest, "data": dataset.spec, "signals_sha256": measured,
                 "shape": list(dataset.shape), "signals": count, "pictures": config.pictures,
                 "fit": [fit.chosen, fit.step_size, list(fit.report_steps), *how_sampled(fit).values()]}  # fmt: skip
    if (kept := _kept(path, made_from)) is not None:
        return kept
    began, folder = time.perf_counter(), folder / "evaluation" / "pictures"
    signals: list[dict[str, Any]] = []
    drawn = 0
    for fitted, record in measure_start(start, dataset, count, fit, engine=engine, device=device):
        signals.append(record)
        if drawn < config.pictures and fitted.theta is not None and fitted.original is not None:
            names = (f"{name}-{drawn}", f"original-{drawn}")
            draw_fit(folder, names, start, dataset, fitted, engine=engine, device=device)
            drawn += 1
    row = {
        "name": name, "weights": start.pattern.num_weights, "biases": start.pattern.num_biases,
        "total": start.pattern.num_params, "density": start.pattern.density, "round": start.info.get("round"),
        "outer_steps": start.info.get("steps"), "learn_seconds": start.info.get("learn_seconds"),
        "fit_seconds": round(time.perf_counter() - began, 3), "steps": list(fit.report_steps),
        "protocol": recorded(fit), "mean_psnr_db": mean_psnr_db(signals), "signals": signals, "made_from": made_from,
    }  # fmt: skip
    write_json(path, row)
    return row
