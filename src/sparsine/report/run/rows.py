"""The rows of an evaluation record, ready to be drawn or written out.

A record tells a perfect fit as a text and holds null where a number was unknown (JSON has no other way), and a row
without a single good signal has an empty mean. All are met here once, so that tables and figures need not think of
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan
from typing import Any

import numpy as np

from sparsine.errors import BadInput
from sparsine.measure.records import metrics_of
from sparsine.psnr import psnr_of
from sparsine.report.wording import lacking

READ = (1, 2)
"""Versions of the record."""
_ENDLESS = 1e300
"""Stands for infinity where numbers are interpolated."""


@dataclass(frozen=True)
class Row:
    """One start with what became of the signals that were fitted from it."""

    name: str
    """scratch, round-00, round-01, ..."""
    round: int | None
    weights: int
    biases: int
    total: int
    density: float
    steps: tuple[int, ...]
    """Fitting steps at which PSNR was measured."""
    mean_psnr_db: tuple[float | None, ...]
    """Mean over the signals that are ok, one for each of `steps`; None where there is none, infinite with a perfect
    fit among them."""
    signals: tuple[dict[str, Any], ...]
    outer_steps: int | None
    learn_seconds: float | None
    fit_seconds: float | None
    num_pictures: int
    """Signals that were drawn at most."""

    @property
    def is_scratch(self) -> bool:
        return self.name == "scratch"

    @property
    def label(self) -> str:
        if self.is_scratch:
            return "from scratch"
        return self.name if self.round is None else f"round {self.round}"

    @property
    def num_ok(self) -> int:
        return sum(signal["status"] == "ok" for signal in self.signals)

    @property
    def lacks(self) -> str:
        """Said behind means that some signals are missing from: " (3 of 4)"."""
        return lacking(self.num_ok, len(self.signals))

    @property
    def final_psnr_db(self) -> float | None:
        return self.mean_psnr_db[-1]

    def mean_after(self, step: int) -> float | None:
        """Mean PSNR after `step` fitting steps; None when it was not measured."""
        return self.mean_psnr_db[self.steps.index(step)] if step in self.steps else None

    def spread(self, low: float, high: float, at: int = -1) -> tuple[float, float] | None:
        """Two percentiles of PSNR over the signals that are ok, at position `at` of `steps`; 0, 100 are min, max."""
        curves = [signal["psnr_db"] for signal in self.signals if signal["status"] == "ok"]
        found = [curve[at] for curve in curves if curve[at] is not None]
        if not found:
            return None
        # between two values lies a line: an infinite one would make it NaN
        ends = np.percentile(np.minimum(found, _ENDLESS), [low, high])
        bottom, top = (inf if end > _ENDLESS / 1e6 else float(end) for end in ends)
        return bottom, top

    @property
    def band(self) -> tuple[float, float]:
        """What holds four signals of five after the last step; NaN where there is none that an axis could hold."""
        ends = self.spread(10, 90)
        return ends if ends and isfinite(sum(ends)) else (nan, nan)

    def mean_metric(self, name: str) -> float | None:
        """Mean after the last step of what the kind of signal measures beside PSNR, over the signals that are ok and
        of which it could be said."""
        told = [signal["metrics"].get(name, [None])[-1] for signal in self.signals if signal["status"] == "ok"]
        found = [value for value in told if value is not None]
        return sum(found) / len(found) if found else None

    @property
    def drawn(self) -> tuple[dict[str, Any], ...]:
        """The signals behind pictures 0, 1, ...: the first that could be read, whatever became of their fit."""
        return tuple(s for s in self.signals if s["status"] != "unreadable")[: self.num_pictures]


def rows_of(record: dict[str, Any]) -> list[Row]:
    """All rows, in the record's order.

    Raises:
        BadInput: not an evaluation record, or one that this version does not know.
    """
    kind, version = record.get("kind"), record.get("record_version")
    if kind != "evaluation" or version not in READ:
        raise BadInput(
            f"an evaluation record of version 1 or 2 is needed, but this is {kind!r} of version {version!r}; "
            "make it anew with: sparsine report RUN"
        )
    if not record.get("rows"):
        raise BadInput("the evaluation record has no rows; make it anew with: sparsine report RUN")
    return [_row(row) for row in record["rows"]]


def scratch_and_starts(rows: Sequence[Row]) -> tuple[Row | None, list[Row]]:
    """The field fitted from random numbers, if it was measured, and the learned starts, densest first."""
    scratch = next((row for row in rows if row.is_scratch), None)
    return scratch, [row for row in rows if not row.is_scratch]


def _row(row: dict[str, Any]) -> Row:
    steps = tuple(row["steps"])
    mean = tuple(map(psnr_of, row["mean_psnr_db"])) or (None,) * len(steps)
    signals = map(_signal, row["signals"])
    return Row(
        name=row["name"], round=row.get("round"), weights=row["weights"], biases=row["biases"], total=row["total"],
        density=row["density"], steps=steps, mean_psnr_db=mean, signals=tuple(signals),
        outer_steps=row.get("outer_steps"), learn_seconds=row.get("learn_seconds"), fit_seconds=row.get("fit_seconds"),
        num_pictures=row.get("made_from", {}).get("pictures", len(row["signals"])),
    )  # fmt: skip


def _signal(signal: dict[str, Any]) -> dict[str, Any]:
    metrics = metrics_of(signal)
    return {**signal, "metrics": metrics, "psnr_db": [psnr_of(told) for told in metrics["psnr_db"]]}
