"""Pictures of records for documents, by matplotlib: quality over bits per pixel."""

from collections.abc import Sequence
from math import ceil, floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sparsine.report.comparison.figures import SUFFIXES, legend_columns
from sparsine.report.rate_distortion.lines import lines_of, published_lines
from sparsine.report.rate_distortion.points import Record
from sparsine.report.run.figures import plain_label, save_figure
from sparsine.report.styles import MATPLOTLIB_DASHES, MATPLOTLIB_MARKS, Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Quality = Literal["psnr_db", "ssim"]
QUALITIES: dict[Quality, str] = {"psnr_db": "PSNR (dB)", "ssim": "SSIM"}
PANEL = (5.0, 3.7)
"""Width and height of a panel in inches."""
NAME = "rate-distortion"


def write_figures(records: Sequence[Record], where: Path) -> list[Path]:
    """One figure as PNG and SVG: a column for each record, PSNR above SSIM.

    Raises:
        WorkFailed: a file cannot be written.
    """
    paths = [where / f"{NAME}{suffix}" for suffix in SUFFIXES]
    for path in paths:
        save_figure(lambda: _figure(records), path)
    return paths


def bits_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round numbers between `low` and `high`: 0.1, 0.2, 0.5, 1, ..., or fewer where those are too many."""
    decades = range(floor(log10(low)) - 1, ceil(log10(high)) + 1)
    for leading in (range(1, 10), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**decade for decade in decades for digit in leading]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= most:
            break
    return inside


def _figure(records: Sequence[Record]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(0.6 + PANEL[0] * max(len(records), 1.3), 0.6 + PANEL[1] * len(QUALITIES)), layout="constrained"
    )
    panels = figure.subplots(len(QUALITIES), len(records), squeeze=False)
    for column, record in enumerate(records):
        for row, quality in enumerate(QUALITIES):
            _panel(panels[row][column], record, quality)
            panels[row][0].set_ylabel(QUALITIES[quality])
        panels[0][column].set_title(plain_label(record["data"]["label"]), pad=8)
        panels[-1][column].set_xlabel("bits per pixel, the start not counted")
    _legend(figure)
    return figure


def _panel(axes: "Axes", record: Record, quality: Quality) -> None:
    for number, line in enumerate(lines_of(record)):
        points = [(p.bits_per_pixel, getattr(p, quality)) for p in line.curve.points if getattr(p, quality) is not None]
        if points:
            _draw(axes, points, line.style, line.curve.label, 3 - number / 100, {"markeredgewidth": 0})
    for codec, style in published_lines(record) if quality == "psnr_db" else ():
        hollow = {"markerfacecolor": "none", "markeredgewidth": 1.0}
        _draw(
            axes,
            list(zip(codec.bits_per_pixel, codec.psnr_db, strict=True)),
            style,
            f"{codec.name}, published",
            2,
            hollow,
        )
    axes.set_xscale("log")
    axes.margins(x=0.04, y=0.06)
    ticks = bits_ticks(*axes.get_xlim())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _draw(
    axes: "Axes", points: Sequence[tuple[float, float]], style: Style, label: str, rank: float, marks: dict[str, Any]
) -> None:
    x, y = zip(*points, strict=True)
    axes.plot(x, y, color=style.colour, marker=MATPLOTLIB_MARKS[style.mark], linestyle=MATPLOTLIB_DASHES[style.dash],
              markersize=6.5 if style.mark == "star" else 4.6, linewidth=style.width, label=plain_label(label),
              zorder=rank, **marks)  # fmt: skip


def _legend(figure: "Figure") -> None:
    """Each name once. Starts of two records may have one name and two styles: then each is there."""
    named: dict[tuple[str, Any], Any] = {}
    for axes in figure.axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            line: Any = handle
            named.setdefault((name, line.get_color()), line)
    names = [name for name, _ in named]
    width, height = figure.get_size_inches()
    columns = legend_columns(names, width)
    figure.set_size_inches(width, height + 0.2 * ceil(len(names) / columns))
    figure.legend(list(named.values()), names, loc="outside lower center", ncols=columns, fontsize=8.5,
                  handlelength=4.2, columnspacing=1.6)  # fmt: skip
