"""Pictures of a comparison for documents: lines by matplotlib, pictures beside each other by Pillow."""

from collections.abc import Callable, Iterable, Sequence
from math import ceil, floor, isfinite, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsine.measure.comparison.config import TUNED
from sparsine.report.comparison.gallery import grid_levels, save_grid
from sparsine.report.comparison.points import Cell, Count, known
from sparsine.report.comparison.published import SHORT
from sparsine.report.comparison.results import View, views_of
from sparsine.report.comparison.series import (
    Series,
    count_series,
    levels_to_show,
    main_families,
    published_series,
    step_series,
)
from sparsine.report.run.charts import spaced_steps, step_position
from sparsine.report.run.figures import plain_label, save_figure
from sparsine.report.styles import MATPLOTLIB_DASHES, MATPLOTLIB_MARKS, Style, styles_of
from sparsine.report.wording import count, percent
from sparsine.signals.file_names import FileNames

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES: dict[Count, str] = {"weights": "surviving weights", "numbers": "numbers stored for a signal, biases counted",
                          "bits": "bits stored for a signal"}  # fmt: skip
SUFFIXES = (".png", ".svg")
MAX_COLUMNS = 3
PANEL = (4.3, 3.5)
"""Width and height of a panel in inches."""
MIN_WIDTH = 5.8
LETTER, LEGEND_MARK = 0.066, 0.75
"""Inches that a letter of the legend takes, and a sample of a line."""
MAX_TICKS = 6

Panel = tuple[str, Callable[["Axes"], None]]
"""A title, and what draws below it."""


def write_figures(folder: Path, cells: Iterable[Cell], where: Path) -> list[Path]:
    """Every figure that the cells of the comparison in `folder` allow, as PNG and as SVG (grids of pictures: PNG only);
    one without data is left out.

    Raises:
        BadInput: not comparison cells, or none.
        WorkFailed: a file cannot be written.
    """
    views = views_of(known(cells))
    styles = styles_of(method for view in views for method in view.methods)
    written, names = [], FileNames()
    for name, draw in line_figures(views, styles).items():
        for suffix in SUFFIXES:
            save_figure(draw, where / f"{name}{suffix}")
            written.append(where / f"{name}{suffix}")
    for view in views:
        for level in grid_levels(folder, view):
            path = where / f"{names.of(f'grid-{view.label}-{level.name}')}.png"
            save_grid(folder, view, level, path)
            written.append(path)
    return written


def line_figures(views: Sequence[View], styles: dict[str, Style]) -> dict[str, Callable[[], "Figure"]]:
    """By name, how to draw each figure that has data."""
    figures = {f"psnr-against-{what}": [_count_panel(view, what, main_families(view), styles) for view in views]
               for what in AXES}  # fmt: skip
    steps = [levels_to_show(view) for view in views]
    figures["psnr-against-steps"] = [
        _step_panel(view, levels[row], styles) if row < len(levels) else None
        for row in range(max(map(len, steps), default=0)) for view, levels in zip(views, steps, strict=True)
    ]  # fmt: skip
    tuned = [view for view in views if view.is_tuned]
    figures["tuned-psnr-against-weights"] = [
        _count_panel(view, "weights", main_families(view), styles, False, TUNED) for view in tuned
    ]
    figures["tuned-psnr-against-steps"] = [
        _step_panel(view, level, styles, TUNED) for view in tuned for level in levels_to_show(view)
    ]
    for name, family in (("ablations", "ablation"), ("transfer", "transfer")):
        having = [view for view in views if any(view.family_of(method) == family for method in view.methods)]
        figures[name] = [_count_panel(view, "weights", ("ours", family), styles, False) for view in having]
    step_columns = len(views) if len(views) > 1 else MAX_COLUMNS
    return {name: _drawing(panels, step_columns if name == "psnr-against-steps" else MAX_COLUMNS)
            for name, panels in figures.items() if any(panels)}  # fmt: skip


def _drawing(panels: Sequence[Panel | None], columns: int) -> Callable[[], "Figure"]:
    return lambda: _figure(panels, min(columns, len(panels)))


def _figure(panels: Sequence[Panel | None], columns: int) -> "Figure":
    """All panels with one legend below them."""
    from matplotlib.figure import Figure

    rows = ceil(len(panels) / columns)
    width = max(0.6 + PANEL[0] * columns, MIN_WIDTH)
    figure = Figure(figsize=(width, 1.0 + PANEL[1] * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flat
    for place, panel in zip(axes, [*panels, *[None] * (rows * columns - len(panels))], strict=True):
        if panel is None:
            place.set_axis_off()
            continue
        title, draw = panel
        draw(place)
        place.set_title(plain_label(title), pad=8)
        place.locator_params(axis="y", nbins=8)
        place.margins(x=0.05, y=0.07)
    for first in figure.axes[::columns]:
        first.set_ylabel("PSNR (dB)")
    _legend(figure)
    return figure


def _legend(figure: "Figure") -> None:
    """Each name once, in the order of the methods."""
    named: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(name, handle)
    width, height = figure.get_size_inches()
    columns = legend_columns(list(named), width)
    lines = ceil(len(named) / columns)
    figure.set_size_inches(width, height + 0.2 * lines)
    figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=columns, fontsize=8.5,
                  handlelength=4.2, columnspacing=1.6)  # fmt: skip


def legend_columns(names: Sequence[str], width: float) -> int:
    """As many as fit beside each other in `width` inches; names go down the first column, then down the next."""
    for columns in range(4, 1, -1):
        lines = ceil(len(names) / columns)
        longest = [max(map(len, names[i : i + lines])) for i in range(0, len(names), lines)]
        if sum(LETTER * letters + LEGEND_MARK for letters in longest) <= width:
            return len(longest)
    return 1


def _count_panel(
    view: View, what: Count, families: Iterable[str], styles: dict[str, Style], with_published: bool = True,
    fitted: str = "adam",
) -> Panel | None:  # fmt: skip
    series = count_series(view, what, families, styles, fitted)
    if not series:
        return None

    def draw(axes: "Axes") -> None:
        for number, line in enumerate(series):
            _line(axes, line, [float(x) for x in line.x], number)
        if what == "weights" and with_published:  # the paper counts weights
            _published(axes, view, {line.method: line.style for line in series})
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        ticks = log_ticks(low, high)
        axes.set_xticks(ticks, [short_count(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel(AXES[what])

    return view.label, draw


def _step_panel(view: View, level: Any, styles: dict[str, Style], fitted: str = "adam") -> Panel | None:
    series = step_series(view, level, main_families(view), styles, fitted)
    if not series:
        return None

    def draw(axes: "Axes") -> None:
        for number, line in enumerate(series):
            _line(axes, line, [step_position(step) for step in line.x], number)
        ticks = spaced_steps(sorted({step for line in series for step in line.x}))
        axes.set_xticks([step_position(step) for step in ticks], [count(step) for step in ticks])
        axes.set_xlabel("fitting steps")

    return f"{view.label}, {percent(level.density)} of the weights ({count(level.weights)})", draw


def _line(axes: "Axes", line: Series, x: list[float], number: int) -> None:
    # ours above the baselines, those above the rest: a quantised copy lies on its original
    style, rank = line.style, 3 - number / 100
    size = 6.5 if style.mark == "star" else 4.6
    axes.plot(x, line.means, color=style.colour, marker=MATPLOTLIB_MARKS[style.mark], markersize=size,
              markeredgewidth=0, linestyle=MATPLOTLIB_DASHES[style.dash], linewidth=style.width,
              label=plain_label(line.name), zorder=rank)  # fmt: skip
    if not line.has_spread:
        return
    if len(x) > 1:
        fine = [isfinite(low + high) for low, high in zip(line.lows, line.highs, strict=True)]
        axes.fill_between(x, line.lows, line.highs, where=fine, color=style.colour, alpha=0.16, linewidth=0, zorder=1)
    else:
        axes.vlines(x, line.lows, line.highs, color=style.colour, linewidth=style.width, alpha=0.5, zorder=1)


def _published(axes: "Axes", view: View, styles: dict[str, Style]) -> None:
    """Hollow marks of the same colours; they have no line, since most were read off one."""
    for method, points in published_series(view).items():
        if method in styles:
            style = styles[method]
            axes.plot([p.weights for p in points], [p.psnr_db for p in points], linestyle="none",
                      marker=MATPLOTLIB_MARKS[style.mark], markersize=6, markerfacecolor="none",
                      markeredgecolor=style.colour, markeredgewidth=1.1, zorder=4)  # fmt: skip
    if published_series(view).keys() & styles.keys():
        axes.plot([], [], linestyle="none", marker="o", markersize=6, markerfacecolor="none",
                  markeredgecolor="#636b74", markeredgewidth=1.1, label=f"hollow: published ({SHORT})")  # fmt: skip


def log_ticks(low: float, high: float, most: int = MAX_TICKS) -> list[int]:
    """Round numbers between `low` and `high`: 1, 2, 5, 10, 20, ..., or fewer where those are too many."""
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for leading in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10**decade for decade in decades for digit in leading if decade >= 0]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= most:
            break
    return inside


def short_count(number: int) -> str:
    """500, 20 k, 3 M: as much as has room below an axis."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:g} {unit}"
    return str(number)
