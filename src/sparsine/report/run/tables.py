"""A record as a Markdown table, for documents whose numbers should come from a record."""

from typing import Any

from sparsine.report.run.rows import Row, rows_of
from sparsine.report.wording import count, db, interval, percent

USUAL_STEPS = (0, 2, 10, 100)


def table_markdown(record: dict[str, Any]) -> str:
    """A Markdown table, one line a row: both counts, density, mean PSNR after 0, 2, 10 and 100 steps (those that were
    measured, and the last in any case), and from the worst to the best signal after the last. A row whose means are
    over some of the signals says over how many.

    Raises:
        BadInput: not an evaluation record.
    """
    rows = rows_of(record)
    steps = shown_steps(rows)
    psnr = [f"PSNR after {count(step)}" for step in steps]
    head = ["row", "weights", "weights + biases", "density", *psnr, "worst to best"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *(_cells(row, steps) for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def shown_steps(rows: list[Row]) -> list[int]:
    """The usual steps among those that were measured, and the last that was."""
    measured = {step for row in rows for step in row.steps}
    return sorted({step for step in USUAL_STEPS if step in measured} | {max(measured)})


def _cells(row: Row, steps: list[int]) -> list[str]:
    name = (row.label + row.lacks).replace("|", "\\|").replace("\n", " ")
    return [name, count(row.weights), count(row.total), percent(row.density), *(db(row.mean_after(s)) for s in steps),
            interval(row.spread(0, 100))]  # fmt: skip
