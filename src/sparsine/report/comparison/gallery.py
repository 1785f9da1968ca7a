"""The pictures of a comparison beside each other: a line a signal, from the original over ours to the others."""

from pathlib import Path
from textwrap import wrap

from sparsine.errors import BadInput
from sparsine.measure.records import metrics_of
from sparsine.psnr import psnr_of
from sparsine.report.comparison.points import CellRecord, unit_of
from sparsine.report.comparison.results import NEAR_LEVELS, DataResults, SparsityLevel
from sparsine.report.contact_sheet import Picture, PictureRow, save_sheet
from sparsine.report.wording import count

HEAD_LETTERS, HEAD_LINES = 20, 3


def save_grid(folder: Path, results: DataResults, level: SparsityLevel, path: Path) -> None:
    """A PNG: columns are the original and each method at `level`, with its weights above and each signal's PSNR below.

    Raises:
        BadInput: no picture of that level in the folder.
        WorkFailed: the file cannot be written.
    """
    columns = grid_columns(folder, results, level)
    lines = grid_lines(folder, results, columns)
    if not lines:
        raise BadInput(f"{folder} holds no pictures of {results.label} at {level.name}")
    heads = [[*[""] * HEAD_LINES, "original"], *map(_head, columns)]
    save_sheet(heads, lines, path, strong=HEAD_LINES)


def grid_columns(folder: Path, results: DataResults, level: SparsityLevel) -> list[CellRecord]:
    """The cell of each method that was drawn at this level or at one that may stand beside it; ablations and starts
    from other data are left out, as in the main figure."""
    beside, families = results.beside(level), results.main_families
    drawn = [cell for cell in results.cells if cell["pictures"] and beside.get(cell["method"]) == cell["level"]
             and cell["family"] in families]  # fmt: skip
    seed = min((cell["seed"] for cell in drawn), default=0)  # pictures of two seeds would not be of one comparison
    drawn = [cell for cell in drawn if cell["seed"] == seed and any(_path(folder, cell, i).is_file()
                                                                    for i in range(cell["pictures"]))]  # fmt: skip
    return sorted(drawn, key=lambda cell: results.methods.index(cell["method"]))


def grid_lines(folder: Path, results: DataResults, columns: list[CellRecord]) -> list[PictureRow]:
    """One line for each drawn signal."""
    names = [_drawn(cell) for cell in columns]
    lines = []
    for i in range(max(map(len, names), default=0)):
        original = Picture(folder / "pictures" / results.label / f"original-{i}.png", None, "ok")
        # every method drew the same signals: which can be read does not depend on the start
        signal = next(drawn[i]["input"] for drawn in names if len(drawn) > i)
        lines.append(PictureRow(str(signal), original, tuple(_picture(folder, cell, i) for cell in columns)))
    return lines


def grid_levels(folder: Path, results: DataResults) -> list[SparsityLevel]:
    """The levels with pictures that are nearest to 10 % and to 4 % survivors."""
    drawn = [level.name for level in results.levels
             if any(cell["level"] == level.name for cell in grid_columns(folder, results, level))]  # fmt: skip
    found = [results.level_near(density, drawn) for density in NEAR_LEVELS]
    return list(dict.fromkeys(level for level in found if level))


def _head(cell: CellRecord) -> list[str]:
    """Up to three lines of name, standing on the line with the weights."""
    words = wrap(str(cell["label"]), HEAD_LETTERS)[:HEAD_LINES]
    return [*[""] * (HEAD_LINES - len(words)), *words, f"{count(cell['weights'])} {unit(cell)}"]


def unit(cell: CellRecord) -> str:
    """What `weights` counts."""
    return unit_of(cell["family"], cell.get("shared_numbers") or 0)


def _drawn(cell: CellRecord) -> list[dict[str, object]]:
    """The signals behind pictures 0, 1, ...: the first that could be read, whatever became of their fit."""
    signals = cell["protocols"].get("adam", {}).get("signals", ())
    return [signal for signal in signals if signal["status"] != "unreadable"][: cell["pictures"]]


def _picture(folder: Path, cell: CellRecord, number: int) -> Picture:
    drawn = _drawn(cell)
    if number >= len(drawn):
        return Picture(_path(folder, cell, number), None, "not drawn")
    curve = metrics_of(drawn[number]).get("psnr_db") or [None]
    assert isinstance(curve, list)
    return Picture(_path(folder, cell, number), psnr_of(curve[-1]), str(drawn[number]["status"]))


def _path(folder: Path, cell: CellRecord, number: int) -> Path:
    return folder / "pictures" / str(cell["data"]["label"]) / str(cell["method"]) / f"{cell['level']}-{number}.png"
