"""Figures for documents, drawn by matplotlib: PNG, SVG, PDF. The same figures give the same bytes."""

import io
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsine.report.figure import Figure, Line, Reference
from sparsine.report.styles import INK, MATPLOTLIB_DASHES, MATPLOTLIB_MARKS, QUIET
from sparsine.shown import shown
from sparsine.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Sheet

SUFFIXES = (".png", ".svg")
LETTER, LEGEND_MARK = 0.066, 0.75
"""Inches that a letter of the legend takes, and a sample of a line."""


@dataclass(frozen=True)
class Layout:
    """How the panels of a sheet stand beside each other."""

    panel: tuple[float, float] = (4.3, 3.5)
    """Width and height in inches."""
    edge: tuple[float, float] = (0.6, 1.0)
    """Inches of a sheet beside its panels and below them."""
    most_columns: int = 3
    least_width: float = 0.0
    margins: tuple[float, float] = (0.05, 0.07)
    """Around what is drawn, in parts of it."""
    most_heights: int | None = 8
    """Labels beside a panel; None is as many as matplotlib likes."""
    legend_inside: bool = False
    """Each panel has its own; else the sheet has one below all."""
    title_pad: float = 8


def save(panels: Sequence[Figure | None], path: Path, layout: Layout | None = None) -> None:
    """All panels on one sheet, row by row; None leaves a place empty. The suffix of `path` is the format.

    Raises:
        WorkFailed: the file cannot be written.
    """
    save_sheet(lambda: sheet(panels, layout or Layout()), path)


def save_sheet(draw: Callable[[], "Sheet"], path: Path) -> None:
    """Call `draw` in the style of these pictures and write what it draws.

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


def sheet(panels: Sequence[Figure | None], layout: Layout) -> "Sheet":
    """The matplotlib figure."""
    from matplotlib.figure import Figure as Sheet

    columns = min(layout.most_columns, len(panels))
    rows = ceil(len(panels) / columns)
    width = max(layout.edge[0] + layout.panel[0] * columns, layout.least_width)
    drawn = Sheet(figsize=(width, layout.edge[1] + layout.panel[1] * rows), layout="constrained")
    axes = drawn.subplots(rows, columns, squeeze=False).flat
    for number, (place, panel) in enumerate(
        zip(axes, [*panels, *[None] * (rows * columns - len(panels))], strict=True)
    ):
        if panel is None:
            place.set_axis_off()
        else:
            _panel(place, panel, layout)
        if panel and number % columns == 0:
            place.set_ylabel(panel.y.title)
    if not layout.legend_inside:
        _legend(drawn)
    return drawn


def plain_label(text: str) -> str:
    """Names come from outside: a dollar would begin a formula, and what begins with an underscore has no legend."""
    safe = shown(text.replace("\n", " ")).replace("$", r"\$")
    return f" {safe}" if safe.startswith("_") else safe


def legend_columns(names: Sequence[str], width: float) -> int:
    """As many as fit beside each other in `width` inches; names go down the first column, then down the next."""
    for columns in range(4, 1, -1):
        lines = ceil(len(names) / columns)
        longest = [max(map(len, names[i : i + lines])) for i in range(0, len(names), lines)]
        if sum(LETTER * letters + LEGEND_MARK for letters in longest) <= width:
            return len(longest)
    return 1


# Any: matplotlib types the keys as a union of all its settings
_STYLE: Any = {
    "font.size": 9.5, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#c4c9ce", "axes.labelcolor": QUIET,
    "xtick.color": QUIET, "ytick.color": QUIET, "text.color": INK, "axes.grid": True, "grid.color": "#ebedef",
    "axes.axisbelow": True, "legend.frameon": False, "figure.facecolor": "#ffffff",
    "svg.hashsalt": "sparsine",  # the same record gives the same SVG
}  # fmt: skip


def _panel(axes: "Axes", figure: Figure, layout: Layout) -> None:
    scale = figure.x.scale
    for number, line in enumerate(figure.lines):
        if line.shown:
            # the first above the others: a quantised copy lies on its original
            _line(axes, line, [scale.position(x) if scale else x for x in line.x], 3 - number / 100)
    for name in dict.fromkeys(line.name for line in figure.lines if line.hollow and not line.joined):
        axes.plot([], [], linestyle="none", marker="o", markeredgecolor=QUIET, label=plain_label(name), **_HOLLOW)
    for reference in figure.references:
        _reference(axes, reference)
    if scale:
        if scale.is_log:
            axes.set_xscale("log")
        ticks = scale.ticks(*axes.get_xlim(), scale.few)
        axes.set_xticks([at for at, _ in ticks], [told.partition("\n")[0] for _, told in ticks])  # one line has room
        axes.minorticks_off()
    axes.set_xlabel(figure.x.title)
    axes.set_title(plain_label(figure.title), pad=layout.title_pad)
    if layout.most_heights:
        axes.locator_params(axis="y", nbins=layout.most_heights, integer=layout.legend_inside)
    axes.margins(*layout.margins)
    if layout.legend_inside and axes.get_legend_handles_labels()[0]:
        axes.legend(loc="best", fontsize=8.5)


_HOLLOW: Any = {"markersize": 6, "markerfacecolor": "none", "markeredgewidth": 1.1}


def _line(axes: "Axes", line: Line, x: list[float], rank: float) -> None:
    style = line.style
    mark, dash = MATPLOTLIB_MARKS[style.mark], MATPLOTLIB_DASHES[style.dash]
    y: Any = line.y
    if line.hollow and not line.joined:
        axes.plot(x, y, linestyle="none", marker=mark, markeredgecolor=style.colour, zorder=4, **_HOLLOW)
        return
    marks: Any = {"marker": mark, "markersize": 6.5 if style.mark == "star" else 4.6}
    marks |= {"markerfacecolor": "none", "markeredgewidth": 1.0} if line.hollow else {"markeredgewidth": 0}
    axes.plot(x, y, color=style.colour, linestyle=dash, linewidth=style.width, label=plain_label(line.name),
              zorder=2 if line.hollow else rank, **({} if line.colours else marks))  # fmt: skip
    if line.band:
        _band(axes, line, x)
    if line.colours:
        axes.scatter(x, y, c=line.colours, s=26, zorder=3)


def _band(axes: "Axes", line: Line, x: list[float]) -> None:
    band, style = line.band, line.style
    assert band
    if len(x) > 1:
        fine = [isfinite(low + high) for low, high in zip(band.lows, band.highs, strict=True)]
        axes.fill_between(x, band.lows, band.highs, where=fine, color=style.colour, alpha=band.opacity, linewidth=0,
                          label=band.name or None, zorder=1)  # fmt: skip
    else:
        axes.vlines(x, band.lows, band.highs, color=style.colour, linewidth=style.width, alpha=0.5, zorder=1)


def _reference(axes: "Axes", reference: Reference) -> None:
    style = reference.style
    if isfinite(reference.y):  # no axis holds a perfect fit
        axes.axhline(reference.y, color=style.colour, linestyle="--", linewidth=style.width, zorder=1,
                     label=plain_label(reference.name))  # fmt: skip


def _legend(drawn: "Sheet") -> None:
    """Each name once, in the order of the lines; two lines of one name and different colours are both there."""
    named: dict[tuple[str, Any], Any] = {}
    for axes in drawn.axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            line: Any = handle
            named.setdefault((name, line.get_color()), line)
    names = [name for name, _ in named]
    width, height = drawn.get_size_inches()
    columns = legend_columns(names, width)
    drawn.set_size_inches(width, height + 0.2 * ceil(len(names) / columns))
    drawn.legend(list(named.values()), names, loc="outside lower center", ncols=columns, fontsize=8.5,
                 handlelength=4.2, columnspacing=1.6)  # fmt: skip
