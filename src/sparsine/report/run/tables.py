"""An evaluation record as a table."""

from typing import Any

from sparsine.report.run.rows import Row, rows_of
from sparsine.report.table import Table
from sparsine.report.wording import count, db, interval, percent

USUAL_STEPS = (0, 2, 10, 100)


def run_table(record: dict[str, Any]) -> Table:
    """One line a row: both counts, density, mean PSNR after 0, 2, 10 and 100 steps (those that were measured, and the
    last in any case), and from the worst to the best signal after the last. A row whose means are over some of the
    signals says over how many.

    Raises:
        BadInput: not an evaluation record.
    """
    rows = rows_of(record)
    steps = shown_steps(rows)
    psnr = [f"PSNR after {count(step)}" for step in steps]
    head = ("row", "weights", "weights + biases", "density", *psnr, "worst to best")
    return Table("run", "", head, tuple(_cells(row, steps) for row in rows))


def table_markdown(record: dict[str, Any]) -> str:
    """The same in Markdown. Raises BadInput where it is not an evaluation record."""
    return run_table(record).markdown()


def shown_steps(rows: list[Row]) -> list[int]:
    """The usual steps among those that were measured, and the last that was."""
    measured = {step for row in rows for step in row.steps}
    return sorted({step for step in USUAL_STEPS if step in measured} | {max(measured)})


def _cells(row: Row, steps: list[int]) -> tuple[str, ...]:
    return (row.label + row.lacks, count(row.weights), count(row.total), percent(row.density),
            *(db(row.mean_after(step)) for step in steps), interval(row.spread(0, 100)))  # fmt: skip
