"""How far apart two rate-distortion curves lie, in one number (Bjøntegaard, VCEG-M33, 2001; with Akima interpolation,
Barman, Martini and Reznik, 2022)."""

from collections.abc import Sequence
from math import isfinite, log
from typing import Any

import bjontegaard

from sparsine.report.rate_distortion.points import RateCurve, RatePoint

FEWEST_POINTS = 3
LEAST_OVERLAP = 0.3
"""Part of our curve beside which the other one must lie: below, the average would speak of very little."""


def bd_rate(anchor: RateCurve | None, ours: RateCurve) -> float | None:
    """Per cent of bytes that `ours` takes more for the same PSNR than `anchor`; None where they hardly overlap."""
    return _delta(bjontegaard.bd_rate, anchor, ours)


def bd_psnr(anchor: RateCurve | None, ours: RateCurve) -> float | None:
    """Decibels that `ours` lies above `anchor` at the same bytes; None where the curves hardly overlap."""
    return _delta(bjontegaard.bd_psnr, anchor, ours)


def front(curves: Sequence[RateCurve], label: str) -> RateCurve:
    """The best of several curves: the points that no other point beats, better at no more bytes."""
    points = sorted((p for curve in curves for p in curve.points), key=lambda p: (p.bits_per_pixel, -p.psnr_db))
    best: list[RatePoint] = []
    for point in points:
        if not best or point.psnr_db > best[-1].psnr_db:
            best.append(point)
    return RateCurve("front", label, tuple(best))


def _delta(measure: Any, anchor: RateCurve | None, ours: RateCurve) -> float | None:
    if anchor is None:
        return None
    (their_rates, their_psnr), (our_rates, our_psnr) = _rising(anchor), _rising(ours)
    if min(len(their_rates), len(our_rates)) < FEWEST_POINTS:
        return None
    if measure is bjontegaard.bd_rate:
        shared = _overlap(their_psnr, our_psnr)
    else:
        shared = _overlap([log(rate) for rate in their_rates], [log(rate) for rate in our_rates])
    if shared < LEAST_OVERLAP:
        return None
    return float(measure(their_rates, their_psnr, our_rates, our_psnr, method="akima", require_matching_points=False,
                         min_overlap=0.0))  # fmt: skip


def _overlap(theirs: Sequence[float], ours: Sequence[float]) -> float:
    """Part of our span, both rising."""
    return max(0.0, min(theirs[-1], ours[-1]) - max(theirs[0], ours[0])) / (ours[-1] - ours[0])


def _rising(curve: RateCurve) -> tuple[list[float], list[float]]:
    """Bits per pixel and PSNR, the points left out at which a codec takes more bits for less."""
    kept: list[RatePoint] = []
    for point in sorted(curve.points, key=lambda p: p.bits_per_pixel):
        if isfinite(point.psnr_db) and (not kept or point.psnr_db > kept[-1].psnr_db):
            kept.append(point)
    return [p.bits_per_pixel for p in kept], [p.psnr_db for p in kept]
