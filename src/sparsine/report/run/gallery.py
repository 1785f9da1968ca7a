"""Which pictures stand beside each other: a line a drawn signal, from the original to the sparsest start."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sparsine.evenly import evenly
from sparsine.report.run.rows import Row, scratch_and_starts
from sparsine.signals.kind import PLAYED


@dataclass(frozen=True)
class Picture:
    """A picture that may be missing on disk, with what is said below it."""

    path: Path
    psnr_db: float | None
    """This signal's PSNR after the last step; None for the original, and where it is not known."""
    status: str

    @property
    def played(self) -> Path | None:
        """The same signal to be played, where its kind can be."""
        return next((path for suffix in PLAYED if (path := self.path.with_suffix(suffix)).is_file()), None)


@dataclass(frozen=True)
class Line:
    """The pictures of one signal: the original, then one for each of the gallery's rows."""

    signal: str
    original: Picture
    fitted: tuple[Picture, ...]


def gallery_rows(rows: Sequence[Row], columns: int) -> list[Row]:
    """The rows that are shown when `columns` pictures, the original among them, fit beside each other."""
    scratch, starts = scratch_and_starts(rows)
    before = [scratch] if scratch else []
    return before + evenly(starts, max(columns - 1 - len(before), 1))


def gallery_lines(folder: Path, shown: Sequence[Row]) -> list[Line]:
    """One line for each drawn signal of the run in `folder`; lines without any file are left out."""
    count = max((len(row.drawn) for row in shown), default=0)
    lines = (_line(folder / "evaluation" / "pictures", shown, number) for number in range(count))
    return [line for line in lines if any(picture.path.is_file() for picture in (line.original, *line.fitted))]


def _line(pictures: Path, shown: Sequence[Row], number: int) -> Line:
    # every row drew the same signals: which can be read does not depend on the start
    name = next(row.drawn[number]["input"] for row in shown if len(row.drawn) > number)
    original = Picture(pictures / f"original-{number}.png", None, "ok")
    return Line(str(name), original, tuple(_fitted(pictures, row, number) for row in shown))


def _fitted(pictures: Path, row: Row, number: int) -> Picture:
    path = pictures / f"{row.name}-{number}.png"
    if len(row.drawn) <= number:
        return Picture(path, None, "not drawn")
    signal = row.drawn[number]
    return Picture(path, signal["psnr_db"][-1], signal["status"])
