"""How many weights each method needs for the PSNR that Meta-SparseINR reaches at a level."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from sparsine.report.axes import crossing
from sparsine.report.comparison.points import Count
from sparsine.report.comparison.results import OURS, DataResults
from sparsine.report.table import Table
from sparsine.report.wording import DASH, count, db, percent


@dataclass(frozen=True)
class Needed:
    """A count that reaches a PSNR, or a bound where the measured curve does not reach so far."""

    count: int
    bound: str = ""
    """">": more than the largest that was measured; "<": the smallest that was measured is better still."""


def needed(curve: Sequence[tuple[int, float]], psnr_db: float) -> Needed | None:
    """The smallest count at which a curve of (count, PSNR) reaches `psnr_db`, with PSNR linear in log(count) between
    measured points; None for an empty curve."""
    ordered = sorted(curve)
    if not ordered:
        return None
    if ordered[0][1] >= psnr_db:
        return Needed(ordered[0][0], "" if ordered[0][1] == psnr_db else "<")
    for (few, low), (many, high) in pairwise(ordered):
        if high == inf:  # no line leads there
            return Needed(many)
        if high >= psnr_db:
            return Needed(round(crossing((few, low), (many, high), psnr_db)))
    return Needed(ordered[-1][0], ">")


def same_quality(results: DataResults) -> list[Table]:
    """In weights, as the paper counts; and in bits, where some method stores its numbers in fewer than 32."""
    tables = [_table(results, "weights", "surviving weights")]
    if any(p.bits != 32 * p.numbers for p in results.points()):
        tables.append(_table(results, "bits", "stored bits"))
    return tables


def _table(results: DataResults, what: Count, words: str) -> Table:
    # a single point is no curve
    curves = {method: curve for method in results.methods if method != OURS and results.family_of(method) != "transfer"
              and len(curve := [(p.count(what), p.mean) for p in results.curve(method)
                                if p.mean is not None and p.count(what) > 0]) > 1}  # fmt: skip
    ours = [(p, p.mean) for p in results.curve(OURS) if p.mean is not None]
    rows = [(results.label_of(method), *(_told(needed(curve, mean), p.count(what)) for p, mean in ours))
            for method, curve in curves.items()]  # fmt: skip
    if not ours or not rows:
        rows = []
    else:
        rows.insert(0, (results.label_of(OURS), *(count(p.count(what)) for p, _ in ours)))
    head = ("method", *(f"{db(mean)} dB ({percent(p.weights / results.dense_weights)})" for p, mean in ours))
    return Table(
        "same-psnr", f"{results.label}: {words} for the same PSNR", head, tuple(rows),
        note="What each method needs for the PSNR that Meta-SparseINR reaches at its levels; in brackets, times as "
             "many. Between measured levels PSNR is taken to be linear in the logarithm of the count; > and < where "
             "the measured levels of a method do not reach so far.",
    )  # fmt: skip


def _told(found: Needed | None, ours: int) -> str:
    if found is None or ours == 0:
        return DASH
    return f"{found.bound} {count(found.count)} ({found.count / ours:.3g} x)".lstrip()
