"""Two ways in which rows of records become a table."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sparsine.report.table import Table

Row = dict[str, Any]
NOT_MEASURED = "not measured"


def listed(
    rows: Iterable[Row], columns: Mapping[str, Callable[[Row], str]], *, left: int = 1, words: Iterable[int] = (),
    title: str = "",
) -> Table:  # fmt: skip
    """A line for each row. `columns`: by heading, what a row says there."""
    lines = tuple(tuple(cell(row) for cell in columns.values()) for row in rows)
    return Table("", title, tuple(columns), lines, left=left, words=frozenset(words))


def crossed(
    lines: Mapping[Any, Mapping[Any, str]], columns: Mapping[Any, str], *, corner: str = "",
    missing: str = NOT_MEASURED, title: str = "",
) -> Table:  # fmt: skip
    """A line for each key of `lines`, a column for each key of `columns`, whose heading it gives."""
    rows = tuple((str(name), *(cells.get(key, missing) for key in columns)) for name, cells in lines.items())
    return Table("", title, (corner, *columns.values()), rows)
