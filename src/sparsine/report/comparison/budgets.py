"""What each method cost: learning its starts, and fitting the test signals from them."""

from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

from sparsine.report.comparison.points import CellRecord
from sparsine.report.comparison.results import DataResults
from sparsine.report.table import Table
from sparsine.report.wording import DASH, count, duration

MIB = 2**20


def budgets(results: DataResults) -> list[Table]:
    """One row a method; where levels differ, from the cheapest to the dearest, each a mean over seeds."""
    rows = tuple(_row(results, method) for method in results.methods)
    head = ("method", "levels", "outer steps", "learning", "learning, CPU", "learning, peak memory",
            "fit of all signals", "fit, CPU", "fit, peak memory")  # fmt: skip
    return [Table(
        "budgets", f"{results.label}: budgets", head, rows,
        note="Learning is what one level cost from the beginning, earlier stages included: levels of an alternation "
             "share their stages, narrow networks share nothing. Where levels differ, from the least to the most. Fits "
             "are those of the Adam protocol. Peak memory is of the whole process.",
    )]  # fmt: skip


def _row(results: DataResults, method: str) -> tuple[str, ...]:
    levels: dict[str, list[CellRecord]] = {}
    for cell in results.cells:
        if cell["method"] == method:
            levels.setdefault(cell["level"], []).append(cell)

    def over_levels(read: Callable[[CellRecord], Any], form: Callable[[float], str]) -> str:
        means = (_mean(map(read, cells)) for cells in levels.values())
        return _range([value for value in means if value is not None], form)

    def steps(value: float) -> str:
        return count(round(value))

    def memory(value: float) -> str:
        return f"{value / MIB:,.0f} MiB"

    return (
        results.label_of(method), str(len(levels)),
        over_levels(lambda c: c["learning"].get("outer_steps"), steps),
        over_levels(lambda c: c["learning"].get("seconds"), duration),
        over_levels(lambda c: c["learning"].get("cpu_seconds"), duration),
        over_levels(lambda c: c["learning"].get("peak_bytes") or None, memory),
        over_levels(lambda c: _usage(c).get("seconds"), duration),
        over_levels(lambda c: _usage(c).get("cpu_seconds"), duration),
        over_levels(lambda c: _usage(c).get("peak_bytes") or None, memory),
    )  # fmt: skip


def _usage(cell: CellRecord) -> dict[str, Any]:
    usage: dict[str, Any] = cell["protocols"].get("adam", {}).get("usage") or {}
    return usage


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _range(values: list[float], form: Callable[[float], str]) -> str:
    if not values:
        return DASH
    low, high = form(min(values)), form(max(values))
    return low if low == high else f"{low} to {high}"
