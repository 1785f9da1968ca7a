"""The course of learning, from the lines of metrics.jsonl."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from math import isfinite
from typing import Any

import numpy as np

from sparsine.counted import counted
from sparsine.psnr import psnr_of
from sparsine.report.colours import SCRATCH, ramp_of
from sparsine.report.run.charts import Figure

MAX_POINTS = 1500
"""Points of a curve; longer ones are thinned, since a screen has no more columns."""
MAX_MARKERS = 60
"""Looks at validation up to which each is marked; more marks would hide the line."""
_OUTER, _OUTER_RAW = "#3b6fe0", "#798fc6"
_VALIDATION = (SCRATCH, "#b8871b", "#e8590c", "#c92d61")

Point = tuple[int, float | None]


def training_curves(metrics: Sequence[dict[str, Any]]) -> Figure | None:
    """PSNR of the outer loss and of validation signals over outer steps; None when nothing was logged."""
    rounds = [list(lines) for _, lines in groupby(metrics, key=lambda line: line["round"])]
    outer = [[(line["step"], psnr_of(line["psnr_db"])) for line in lines if "psnr_db" in line] for lines in rounds]
    validation = list(_validation(rounds))
    if not any(outer) and not validation:
        return None
    traces = [_raw(_joined(outer)), *validation, _smooth(_joined([_smoothed(points) for points in outer]))]
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": "outer steps"}, "zeroline": False, "tickformat": ","},
        "yaxis": {"title": {"text": "PSNR (dB)"}, "zeroline": False},
        "shapes": [_line_at(step) for step in prunings(metrics)], "hovermode": "closest",
    }}  # fmt: skip


def prunings(metrics: Sequence[dict[str, Any]]) -> list[int]:
    """The outer steps after which something was pruned: the last ones logged before the round changes."""
    return [before["step"] for before, after in pairwise(metrics) if after["round"] > before["round"]]


def _validation(rounds: list[list[dict[str, Any]]]) -> Iterator[Figure]:
    """A curve for each number of inner steps."""
    looks = [[(line["step"], line["val_psnr_db"]) for line in lines if "val_psnr_db" in line] for lines in rounds]
    num_counts = max((len(curve) for lines in looks for _, curve in lines), default=0)
    colours = _VALIDATION if num_counts <= len(_VALIDATION) else ramp_of(num_counts)
    for inner in range(num_counts):
        points = [[(step, psnr_of(curve[inner])) for step, curve in lines if inner < len(curve)] for lines in looks]
        yield _curve(_joined(points), f"validation, {counted(inner, 'inner step')}",
                     mode="lines+markers" if sum(map(len, looks)) <= MAX_MARKERS else "lines",
                     line={"color": colours[inner], "width": 1.8}, marker={"size": 5})  # fmt: skip


def _raw(points: list[Point]) -> Figure:
    return _curve(points, "outer loss, every line", mode="lines", line={"color": _OUTER_RAW, "width": 1})


def _smooth(points: list[Point]) -> Figure:
    return _curve(points, "outer loss, smoothed", mode="lines", line={"color": _OUTER, "width": 2.5})


def _curve(points: list[Point], name: str, **look: Any) -> Figure:
    points = _thinned(points)
    return {"type": "scatter", "name": name, "x": [step for step, _ in points],
            "y": [value if value is None else round(value, 3) for _, value in points],
            "hovertemplate": f"{name}<br>step %{{x:,}}: %{{y:.2f}} dB<extra></extra>", **look}  # fmt: skip


def _joined(rounds: list[list[Point]]) -> list[Point]:
    """All rounds one after the other, with a gap at every pruning: there the curve has a right to jump."""
    joined: list[Point] = []
    for points in filter(None, rounds):
        joined += [(joined[-1][0], None), *points] if joined else points
    return joined


def _smoothed(points: list[Point]) -> list[Point]:
    """A centred mean over a twentieth of the round, at least five lines; never across a pruning."""
    points = [(step, value) for step, value in points if value is not None and isfinite(value)]
    half = max(2, len(points) // 40)
    sums = np.cumsum([0.0, *(value or 0.0 for _, value in points)])
    smoothed: list[Point] = []
    for i, (step, _) in enumerate(points):
        low, high = max(i - half, 0), min(i + half + 1, len(points))
        smoothed.append((step, float(sums[high] - sums[low]) / (high - low)))
    return smoothed


def _thinned(points: list[Point]) -> list[Point]:
    """Every n-th point; gaps and the last point stay."""
    every = -(-len(points) // MAX_POINTS)
    return [p for i, p in enumerate(points) if i % every == 0 or p[1] is None or i == len(points) - 1]


def _line_at(step: int) -> Figure:
    return {"type": "line", "x0": step, "x1": step, "yref": "paper", "y0": 0, "y1": 1, "layer": "between",
            "line": {"color": SCRATCH, "width": 1, "dash": "dot"}}  # fmt: skip
