"""The one formula for quality: PSNR = 10 log10(peak^2 / MSE), values not clamped (the paper's, whose peak is 1).

A perfect fit has infinite PSNR. Terminals, tables and CSV say "inf", and so does JSON, which has no such number: there
it is a text. A mean with a perfect fit in it is infinite too.
"""

from math import inf, isnan, log10, nan
from typing import Any

PERFECT = str(inf)


def psnr_db(mse: float, peak: float = 1.0) -> float:
    """Decibels beside `peak`, the kind of signal's; infinity for a perfect fit, NaN when the error is not finite."""
    if isnan(mse) or mse == inf:
        return nan
    if mse <= 0:
        return inf
    return -10 * log10(mse) + 20 * log10(peak)


def psnr_of(recorded: Any) -> float | None:
    """A PSNR as a record has it: a number, "inf" of a perfect fit; None where there is none."""
    if recorded == PERFECT:
        return inf
    known = isinstance(recorded, int | float) and not isnan(recorded)
    return float(recorded) if known else None


def psnr_difference_db(one: float, other: float) -> float:
    """Two perfect fits do not differ."""
    return 0.0 if one == other else one - other


def averaged_db(found: list[float]) -> float | None:
    """None where there is nothing to average, or infinities that cancel."""
    total = sum(found)  # fsum would refuse infinities of both signs
    return None if not found or isnan(total) else total / len(found)


def reached_db(ends: list[float]) -> float:
    """What a way of fitting is judged by: the mean at the end of fits, dB; -inf where one of them overflowed. A fit
    that ends above where it began counts with what it reached: a signal that is nearly silent may begin at 50 dB."""
    mean = averaged_db([-inf if isnan(end) else end for end in ends])
    return -inf if mean is None else mean
