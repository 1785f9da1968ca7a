"""Which pictures stand beside each other: a line a drawn signal, from the original to the sparsest start."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.evenly import evenly
from sparsine.report.contact_sheet import Picture, PictureRow, save_sheet
from sparsine.report.run.rows import Row, rows_of, scratch_and_starts
from sparsine.report.wording import count, percent


def save_gallery(folder: Path, record: dict[str, Any], path: Path, columns: int = 6) -> None:
    """A PNG of the run in `folder`, a line a drawn signal: the original, the fit from scratch, then starts evenly
    spread from dense to sparse, each with its surviving weights above and this signal's PSNR below.

    Raises:
        BadInput: fewer than three columns, not an evaluation record, or no picture in the folder.
        WorkFailed: the file cannot be written.
    """
    if columns < 3:
        raise BadInput(f"a gallery needs at least 3 columns (original, scratch, a start), but got {columns}")
    shown = gallery_rows(rows_of(record), columns)
    lines = gallery_lines(folder, shown)
    if not lines:
        raise BadInput(f"{folder} holds no pictures of its fits; make them with: sparsine report {folder}")
    save_sheet([["", "", "original"], *map(_head, shown)], lines, path)


def gallery_rows(rows: Sequence[Row], columns: int) -> list[Row]:
    """The rows that are shown when `columns` pictures, the original among them, fit beside each other."""
    scratch, starts = scratch_and_starts(rows)
    before = [scratch] if scratch else []
    return before + evenly(starts, max(columns - 1 - len(before), 1))


def gallery_lines(folder: Path, shown: Sequence[Row]) -> list[PictureRow]:
    """One line for each drawn signal of the run in `folder`; lines without any file are left out."""
    count = max((len(row.drawn) for row in shown), default=0)
    lines = (_line(folder / "evaluation" / "pictures", shown, number) for number in range(count))
    return [line for line in lines if any(picture.path.is_file() for picture in (line.original, *line.fitted))]


def _line(pictures: Path, shown: Sequence[Row], number: int) -> PictureRow:
    # every row drew the same signals: which can be read does not depend on the start
    name = next(row.drawn[number]["input"] for row in shown if len(row.drawn) > number)
    original = Picture(pictures / f"original-{number}.png", None, "ok")
    return PictureRow(str(name), original, tuple(_fitted(pictures, row, number) for row in shown))


def _fitted(pictures: Path, row: Row, number: int) -> Picture:
    path = pictures / f"{row.name}-{number}.png"
    if len(row.drawn) <= number:
        return Picture(path, None, "not drawn")
    signal = row.drawn[number]
    return Picture(path, signal["psnr_db"][-1], signal["status"])


def _head(row: Row) -> list[str]:
    return [row.label, f"{count(row.weights)} weights, {percent(row.density)}", f"{count(row.total)} with biases"]
