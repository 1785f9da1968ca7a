"""Pictures for documents, made from committed records: PSNR over surviving weights, and a gallery of fits."""

import io
import warnings
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from sparsine.errors import BadInput
from sparsine.evenly import evenly
from sparsine.report.colours import BAND, SCRATCH, ramp_of
from sparsine.report.run.gallery import Line, Picture, gallery_lines, gallery_rows
from sparsine.report.run.rows import Row, rows_of, scratch_and_starts
from sparsine.report.wording import count, db, percent, protocol
from sparsine.shown import shown
from sparsine.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 176
"""Width of a gallery picture is at least this; pixels are enlarged by whole numbers."""
GAP = 12
LINE_HEIGHT = 21
FONT_SIZE = 16
_INK, _QUIET, _WHITE, _MISSING = "#1d2126", "#636b74", "#ffffff", "#eef0f2"


def save_summary_figure(records: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    """One panel a record, titled with its label: mean PSNR over surviving weights with the 10th to 90th percentile of
    the signals; dashed, the dense field fitted from scratch. The suffix of `path` is the format (.png, .svg, .pdf).

    Raises:
        BadInput: no record, or something else than an evaluation record.
        WorkFailed: the file cannot be written.
    """
    if not records:
        raise BadInput("a summary figure needs at least one evaluation record, but got none")

    def draw() -> "Figure":
        from matplotlib.figure import Figure

        figure = Figure(figsize=(0.7 + 3.9 * len(records), 3.7), layout="constrained")
        panels = figure.subplots(1, len(records), squeeze=False)[0]
        for panel, (label, record) in zip(panels, records, strict=True):
            _panel(panel, label, record)
        panels[0].set_ylabel("PSNR (dB)")
        return figure

    save_figure(draw, path)


def save_figure(draw: Callable[[], "Figure"], path: Path) -> None:
    """Call `draw` in the style of these pictures and write the figure; the suffix of `path` is the format.

    Raises:
        WorkFailed: the file cannot be written.
    """
    import matplotlib  # slow to import

    buffer = io.BytesIO()
    # no pyplot: it would choose a screen, and keep every figure alive
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # a name in letters that the font lacks
        figure = draw()
        kind = path.suffix.lstrip(".").lower() or "png"
        # without a date the same record gives the same bytes
        figure.savefig(buffer, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)
    write_atomically(path, buffer.getvalue())


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
    buffer = io.BytesIO()
    gallery_sheet([["", "", "original"], *map(_head, shown)], lines).save(buffer, format="PNG", optimize=True)
    write_atomically(path, buffer.getvalue())


def plain_label(text: str) -> str:
    """Names come from outside: a dollar would begin a formula, and what begins with an underscore has no legend."""
    safe = shown(text.replace("\n", " ")).replace("$", r"\$")
    return f" {safe}" if safe.startswith("_") else safe


# Any: matplotlib types the keys as a union of all its settings
_STYLE: Any = {
    "font.size": 9.5, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#c4c9ce", "axes.labelcolor": _QUIET,
    "xtick.color": _QUIET, "ytick.color": _QUIET, "text.color": _INK, "axes.grid": True, "grid.color": "#ebedef",
    "axes.axisbelow": True, "legend.frameon": False, "figure.facecolor": _WHITE,
    "svg.hashsalt": "sparsine",  # the same record gives the same SVG
}  # fmt: skip


def _panel(panel: "Axes", label: str, record: dict[str, Any]) -> None:
    rows = rows_of(record)
    scratch, starts = scratch_and_starts(rows)
    fitted = protocol(record["protocol"]["steps"], record["protocol"]["optimizer"])
    _starts_curve(panel, starts, f"meta-learned starts, {fitted}")
    if scratch and scratch.final_psnr_db is not None and isfinite(scratch.final_psnr_db):
        panel.axhline(scratch.final_psnr_db, color=SCRATCH, linestyle="--", linewidth=1.4, zorder=1,
                      label="dense, from scratch")  # fmt: skip
    panel.set_xscale("log")
    ticks = evenly(sorted({row.weights for row in rows}), 5)
    panel.set_xticks(ticks, [count(tick) for tick in ticks])
    panel.minorticks_off()
    panel.locator_params(axis="y", nbins=8, integer=True)
    panel.margins(x=0.06, y=0.12)
    panel.set_xlabel("surviving weights")
    panel.set_title(label, pad=10)
    if panel.get_legend_handles_labels()[0]:
        panel.legend(loc="best", fontsize=8.5)


def _starts_curve(panel: "Axes", starts: Sequence[Row], label: str) -> None:
    points = [
        (row.weights, row.final_psnr_db, *row.band, colour)
        for row, colour in zip(starts, ramp_of(len(starts)), strict=True)
        if row.final_psnr_db is not None and isfinite(row.final_psnr_db)  # no axis holds a perfect fit
    ]
    if not points:
        return
    weights, means, low, high, colours = zip(*points, strict=True)
    panel.plot(weights, means, color=BAND, linewidth=2, label=label, zorder=2)
    panel.fill_between(weights, low, high, color=BAND, alpha=0.13, linewidth=0, label="10th to 90th percentile")
    panel.scatter(weights, means, c=colours, s=26, zorder=3)


def gallery_sheet(heads: Sequence[Sequence[str]], lines: Sequence[Line], strong: int = 1) -> Image.Image:
    """The pictures of `lines` beside each other below `heads`, one for each column, the original's among them; all
    heads have as many lines of words, of which the first `strong` stand out."""
    width, height = _cell_size(lines)
    head = len(heads[0]) * LINE_HEIGHT + 6
    pitch = height + LINE_HEIGHT + GAP + 6
    size = (GAP + len(heads) * (width + GAP), GAP + head + len(lines) * pitch)
    canvas = Image.new("RGB", size, _WHITE)
    for column, text in enumerate(heads):
        for number, words in enumerate(text):
            colour = _INK if number < strong or column == 0 else _QUIET
            _write(canvas, GAP + column * (width + GAP), GAP + number * LINE_HEIGHT, words, colour)
    for number, line in enumerate(lines):
        top = GAP + head + number * pitch
        for column, picture in enumerate((line.original, *line.fitted)):
            left = GAP + column * (width + GAP)
            canvas.paste(_enlarged(picture, (width, height)), (left, top))
            _write(canvas, left, top + height + 4, _caption(picture, column), _QUIET)
    return canvas


def _head(row: Row) -> list[str]:
    return [row.label, f"{count(row.weights)} weights, {percent(row.density)}", f"{count(row.total)} with biases"]


def _caption(picture: Picture, column: int) -> str:
    if column == 0:
        return ""
    return f"{db(picture.psnr_db)} dB" + ("" if picture.status == "ok" else f" ({picture.status})")


def _write(canvas: Image.Image, left: int, top: int, words: str, colour: str) -> None:
    """Drawn four times too large first: Pillow places letters on whole pixels, which shows in small print."""
    if not words:
        return
    font = ImageFont.load_default(size=4 * FONT_SIZE)
    large = Image.new("L", (4 * (-(-int(font.getlength(words)) // 4) + 1), 4 * LINE_HEIGHT))
    ImageDraw.Draw(large).text((0, 0), words, fill=255, font=font)
    mask = large.resize((large.width // 4, LINE_HEIGHT), Image.Resampling.BOX)
    canvas.paste(colour, (left, top), mask)


def _cell_size(lines: Sequence[Line]) -> tuple[int, int]:
    """All pictures of a run have one size: that of the first one found, enlarged by a whole number."""
    path = next(p.path for line in lines for p in (line.original, *line.fitted) if p.path.is_file())
    with Image.open(path) as picture:
        width, height = picture.size
    scale = max(1, -(-CELL // width))
    return scale * width, scale * height


def _enlarged(picture: Picture, size: tuple[int, int]) -> Image.Image:
    if not picture.path.is_file():
        return Image.new("RGB", size, _MISSING)
    with Image.open(picture.path) as small:
        return small.convert("RGB").resize(size, Image.Resampling.NEAREST)
