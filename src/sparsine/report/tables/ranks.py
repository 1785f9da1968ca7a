"""What several processes that learn together are worth: the record of benchmarks/ranks.py."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sparsine.report.table import Table
from sparsine.report.tables.layout import Row, listed
from sparsine.report.tables.results import Results
from sparsine.report.wording import count, seconds

NAME = "benchmarks/ranks"
NONE_YET = "No record yet: benchmarks/ranks.py makes it, on two quiet cores."
WAYS = ("one thread", "two threads", "two ranks")


def steps(results: Results) -> Table:
    """An outer step by one process and by two ranks."""
    return _of_record(results, "rows", {
        "field": lambda row: row["field"], "weights": lambda row: count(row["weights"]),
        **{way: _step(way) for way in WAYS}, "efficiency": lambda row: f"{row['efficiency']:.2f}",
    })  # fmt: skip


def messages(results: Results) -> Table:
    """The gradients of all tasks to all ranks, and a sum of one on the way."""
    return _of_record(results, "messages", {
        "gradient of a task, kB": lambda row: f"{row['gradient_bytes'] / 1000:,.0f}",
        "message of a rank, kB": lambda row: f"{row['message_bytes'] / 1000:,.0f}",
        "to all": lambda row: seconds(row["gathered_seconds"]),
        "a sum on the way": lambda row: seconds(row["all_reduce_seconds"]),
    }, left=0)  # fmt: skip


def on_paper(results: Results) -> Table:
    """Efficiency, and in brackets what it would be with a sum on the way."""
    ranks = [2, 4, 8, 16, 32, 64]
    return _of_record(results, "paper", {
        "field": lambda row: row["field"], "weights": lambda row: count(row["weights"]),
        "network": lambda row: row["network"], **{str(n): _efficiency(n) for n in ranks},
        "half up to": lambda row: str(row["half_up_to"]),
    }, words=[2])  # fmt: skip


def _of_record(results: Results, part: str, columns: dict[str, Callable[[Row], str]], **layout: Any) -> Table:
    if NAME in results.names("benchmarks"):
        return listed(results.read(NAME)[part], columns, **layout)
    return replace(listed([], columns, **layout), note=NONE_YET)


def _step(way: str) -> Callable[[Row], str]:
    return lambda row: seconds(row["step_seconds"][way])


def _efficiency(ranks: int) -> Callable[[Row], str]:
    def told(row: Row) -> str:
        step = next(step for step in row["steps"] if step["ranks"] == ranks)
        return f"{step['efficiency']:.2f} ({step['efficiency_by_sum']:.2f})"

    return told
