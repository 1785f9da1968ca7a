"""Comparison cells as points: the mean over signals for each seed, then mean and spread over seeds.

A cell is one record: a method, a level of sparsity, a seed, a data set. JSON has no infinity, so the PSNR of a perfect
fit is a text, and a cell may hold no good signal at all; both are met here once, so that tables and figures need not
think of them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean, stdev
from typing import Any, Literal

from sparsine.errors import BadInput
from sparsine.measure.records import metrics_of
from sparsine.psnr import psnr_of
from sparsine.report.wording import lacking

CellRecord = dict[str, Any]
Count = Literal["weights", "numbers", "bits"]
"""What a horizontal axis counts: the paper's weights, all stored numbers, or stored bits."""
Value = Literal["psnr_db", "ssim"]
READ = (1, 2)
"""Versions of cells."""


@dataclass(frozen=True, kw_only=True)
class MeanPoint:
    """One method at one level on one data set, all its seeds together."""

    data: str
    method: str
    label: str
    family: str
    level: str
    round: int | None
    weights: int
    biases: int
    numbers: int
    """Stored for each signal: weights and biases, or latents."""
    bits: int
    shared_numbers: int
    """Needed once for the whole collection, beside what each signal stores."""
    seeds: tuple[int, ...]
    """Those with at least one good signal."""
    means: tuple[float, ...]
    """Mean over the signals that are ok, one for each of `seeds`."""
    num_ok: int
    """Signals with a value, all seeds together."""
    num_signals: int

    @property
    def mean(self) -> float | None:
        return fmean(self.means) if self.means else None

    @property
    def low(self) -> float | None:
        return min(self.means, default=None)

    @property
    def high(self) -> float | None:
        return max(self.means, default=None)

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds; None for fewer than two, and where a mean is infinite."""
        return stdev(self.means) if len(self.means) > 1 and isfinite(sum(self.means)) else None

    @property
    def lacks(self) -> str:
        """Said behind a mean that some fits are missing from: " (28 of 30)"."""
        return lacking(self.num_ok, self.num_signals)

    @property
    def unit(self) -> str:
        """What `weights` counts: see `unit_of`."""
        return unit_of(self.family, self.shared_numbers)

    def count(self, what: Count) -> int:
        return {"weights": self.weights, "numbers": self.numbers, "bits": self.bits}[what]


def unit_of(family: str, shared_numbers: int) -> str:
    """What a record's `weights` counts: a method that shares its base stores latents, a linear one plain numbers."""
    return "numbers" if family == "linear" else "latents" if shared_numbers else "weights"


def known(cells: Iterable[CellRecord]) -> list[CellRecord]:
    """The cells, if this version can read them.

    Raises:
        BadInput: something else than a comparison cell of these versions, or no cell at all.
    """
    cells = list(cells)
    for cell in cells:
        if cell.get("kind") != "comparison-cell" or cell.get("record_version") not in READ:
            raise BadInput(
                f"comparison cells of version 1 or 2 are needed, but one is {cell.get('kind')!r} of version "
                f"{cell.get('record_version')!r}; make it anew with: sparsine compare"
            )
    if not cells:
        raise BadInput("the comparison has no cells yet; make some with: sparsine compare")
    return cells


def points_of(
    cells: Iterable[CellRecord], protocol: str = "adam", step: int | None = None, value: Value = "psnr_db"
) -> list[MeanPoint]:
    """A point for each method and level on each data set, in the order in which they first appear.

    `step` counts fitting steps; None is the last one. A cell that was not measured there gives no value: a point whose
    cells all lack it has no mean.
    """
    groups: dict[tuple[str, str, str], dict[int, CellRecord]] = {}
    for cell in cells:
        groups.setdefault((cell["data"]["label"], cell["method"], cell["level"]), {})[cell["seed"]] = cell
    return [_point([by_seed[seed] for seed in sorted(by_seed)], protocol, step, value) for by_seed in groups.values()]


def mean_and_spread(point: MeanPoint, form: Callable[[float | None], str]) -> str:
    """27.71 ± 0.12, the sample standard deviation over seeds; one seed has none."""
    return form(point.mean) + ("" if point.deviation is None else f" ± {form(point.deviation)}")


def signal_values(
    cell: CellRecord, protocol: str = "adam", step: int | None = None, value: Value = "psnr_db"
) -> list[float]:
    """One number for each good signal that has one."""
    return [number for _, number in named_values(cell, protocol, step, value)]


def named_values(cell: CellRecord, protocol: str, step: int | None, value: Value) -> list[tuple[str, float]]:
    """The good signals of a cell by name, each with its number at that step."""
    measured = cell["protocols"].get(protocol)
    if measured is None or not measured["steps"] or (step is not None and step not in measured["steps"]):
        return []
    at = len(measured["steps"]) - 1 if step is None else measured["steps"].index(step)
    found = []
    for signal in measured["signals"]:
        curve = metrics_of(signal).get(value) or []
        number = psnr_of(curve[at]) if at < len(curve) else None
        if signal["status"] == "ok" and number is not None:
            found.append((str(signal["input"]), number))
    return found


def steps_of(cells: Iterable[CellRecord], protocol: str = "adam") -> list[int]:
    """Every step at which something was measured."""
    return sorted({step for cell in cells for step in cell["protocols"].get(protocol, {}).get("steps", ())})


def _point(cells: Sequence[CellRecord], protocol: str, step: int | None, value: Value) -> MeanPoint:
    values = {cell["seed"]: signal_values(cell, protocol, step, value) for cell in cells}
    good = {seed: found for seed, found in values.items() if found}
    first = cells[0]
    return MeanPoint(
        data=first["data"]["label"], method=first["method"], label=first["label"], family=first["family"],
        level=first["level"], round=first.get("round"),
        weights=_mean_count(cells, "weights"), biases=_mean_count(cells, "biases"),
        numbers=_mean_count(cells, "numbers"), bits=_mean_count(cells, "bits"),
        shared_numbers=_mean_count(cells, "shared_numbers"),
        seeds=tuple(good), means=tuple(fmean(found) for found in good.values()),
        num_ok=sum(map(len, good.values())),
        num_signals=sum(len(cell["protocols"].get(protocol, {}).get("signals", ())) for cell in cells),
    )  # fmt: skip


def _mean_count(cells: Sequence[CellRecord], name: str) -> int:
    """The same for every seed, but for methods that decide the size themselves."""
    return round(fmean(cell.get(name) or 0 for cell in cells))
