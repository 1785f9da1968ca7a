"""The course of learning, from the lines of metrics.jsonl."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from math import isfinite
from typing import Any

import numpy as np

from sparsine.counted import counted
from sparsine.psnr import psnr_of
from sparsine.report.figure import PSNR, Axis, Figure, Line
from sparsine.report.styles import SCRATCH, Style, ramp_of

MAX_POINTS = 1500
"""Points of a curve; longer ones are thinned, since a screen has no more columns."""
MAX_MARKERS = 60
"""Looks at validation up to which each is marked; more marks would hide the line."""
_OUTER, _OUTER_RAW = "#3b6fe0", "#798fc6"
_VALIDATION = (SCRATCH, "#b8871b", "#e8590c", "#c92d61")

StepPoint = tuple[int, float | None]
"""Step and PSNR; None is a gap."""


def training_curves(metrics: Sequence[dict[str, Any]]) -> Figure | None:
    """PSNR of the outer loss and of validation signals over outer steps; None when nothing was logged."""
    rounds = [list(lines) for _, lines in groupby(metrics, key=lambda line: line["round"])]
    outer = [[(line["step"], psnr_of(line["psnr_db"])) for line in lines if "psnr_db" in line] for lines in rounds]
    validation = list(_validation(rounds))
    if not any(outer) and not validation:
        return None
    smooth = _curve(_joined([_smoothed(points) for points in outer]), "outer loss, smoothed", Style(_OUTER, width=2.5))
    raw = _curve(_joined(outer), "outer loss, every line", Style(_OUTER_RAW, width=1))
    return Figure(Axis("outer steps"), PSNR, [smooth, *validation, raw], breaks=prunings(metrics))


def prunings(metrics: Sequence[dict[str, Any]]) -> list[int]:
    """The outer steps after which something was pruned: the last ones logged before the round changes."""
    return [before["step"] for before, after in pairwise(metrics) if after["round"] > before["round"]]


def _validation(rounds: list[list[dict[str, Any]]]) -> Iterator[Line]:
    """A curve for each number of inner steps."""
    looks = [[(line["step"], line["val_psnr_db"]) for line in lines if "val_psnr_db" in line] for lines in rounds]
    num_counts = max((len(curve) for lines in looks for _, curve in lines), default=0)
    colours = _VALIDATION if num_counts <= len(_VALIDATION) else ramp_of(num_counts)
    for inner in range(num_counts):
        points = [[(step, psnr_of(curve[inner])) for step, curve in lines if inner < len(curve)] for lines in looks]
        yield _curve(_joined(points), f"validation, {counted(inner, 'inner step')}",
                     Style(colours[inner], width=1.8, size=5), marked=sum(map(len, looks)) <= MAX_MARKERS)  # fmt: skip


def _curve(points: list[StepPoint], name: str, style: Style, marked: bool = False) -> Line:
    points = _thinned(points)
    return Line(name, style, [step for step, _ in points], [value for _, value in points],
                "step {x:,}: {y:.2f} dB", marked=marked)  # fmt: skip


def _joined(rounds: list[list[StepPoint]]) -> list[StepPoint]:
    """All rounds one after the other, with a gap at every pruning: there the curve has a right to jump."""
    joined: list[StepPoint] = []
    for points in filter(None, rounds):
        joined += [(joined[-1][0], None), *points] if joined else points
    return joined


def _smoothed(points: list[StepPoint]) -> list[StepPoint]:
    """A centred mean over a twentieth of the round, at least five lines; never across a pruning."""
    points = [(step, value) for step, value in points if value is not None and isfinite(value)]
    half = max(2, len(points) // 40)
    sums = np.cumsum([0.0, *(value or 0.0 for _, value in points)])
    smoothed: list[StepPoint] = []
    for i, (step, _) in enumerate(points):
        low, high = max(i - half, 0), min(i + half + 1, len(points))
        smoothed.append((step, float(sums[high] - sums[low]) / (high - low)))
    return smoothed


def _thinned(points: list[StepPoint]) -> list[StepPoint]:
    """Every n-th point; gaps and the last point stay."""
    every = -(-len(points) // MAX_POINTS)
    return [p for i, p in enumerate(points) if i % every == 0 or p[1] is None or i == len(points) - 1]
