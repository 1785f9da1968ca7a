"""The interactive figures of the comparison page, as plain plotly descriptions like those of report/run/charts.py."""

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite
from typing import Any

from sparsine.counted import counted
from sparsine.report.colours import faint
from sparsine.report.comparison.figures import AXES, log_ticks, short_count
from sparsine.report.comparison.points import Count, Point
from sparsine.report.comparison.published import SHORT
from sparsine.report.comparison.results import Level, View
from sparsine.report.comparison.series import Series, count_series, published_series, step_series
from sparsine.report.run.charts import psnr_axis, spaced_steps, step_position
from sparsine.report.styles import Style
from sparsine.report.wording import count, db, percent

Figure = dict[str, Any]


def count_chart(
    view: View, what: Count, families: Iterable[str], styles: dict[str, Style], with_published: bool = True,
    fitted: str = "adam",
) -> Figure | None:  # fmt: skip
    """Mean PSNR after the last step of a protocol over a count, a line for each method; None without a single point."""
    series = count_series(view, what, families, styles, fitted)
    if not series:
        return None
    traces = _lines(view, series, [[float(x) for x in line.x] for line in series], "")
    if what == "weights" and with_published:  # the paper counts weights
        traces += _published(view, {line.method: line for line in series})
    xs = [x for line in series for x in line.x]
    ticks = log_ticks(min(xs), max(xs), most=9)
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": AXES[what]}, "type": "log", "tickvals": ticks,
                  "ticktext": [short_count(tick) for tick in ticks]},
        "yaxis": psnr_axis(), "hovermode": "closest", "legend": "beside",
    }}  # fmt: skip


def step_chart(
    view: View, level: Level, families: Iterable[str], styles: dict[str, Style], fitted: str = "adam"
) -> Figure | None:
    """Mean PSNR while signals are fitted, from starts of about one size; None without a single point."""
    series = step_series(view, level, families, styles, fitted)
    if not series:
        return None
    traces = _lines(view, series, [[step_position(step) for step in line.x] for line in series], "after {} steps")
    ticks = spaced_steps(sorted({step for line in series for step in line.x}))
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": "fitting steps"}, "tickvals": [step_position(step) for step in ticks],
                  "ticktext": [count(step) for step in ticks], "zeroline": False},
        "yaxis": psnr_axis(), "hovermode": "closest", "legend": "beside",
    }}  # fmt: skip


def _lines(view: View, series: Sequence[Series], positions: Sequence[list[float]], words: str) -> list[Figure]:
    """Ours last, and so above the others; the legend begins with it all the same."""
    ranked = list(enumerate(zip(series, positions, strict=True)))
    return [trace | {"legendrank": rank} for rank, (line, x) in reversed(ranked)
            for trace in _line(view, line, x, words)]  # fmt: skip


def _line(view: View, line: Series, x: list[float], words: str) -> list[Figure]:
    """The line, below it the band from the worst seed to the best; one legend entry hides both."""
    style = line.style
    told = [_told(view, p, words.format(count(at)) if words else "") for p, at in zip(line.points, line.x, strict=True)]
    traces: list[Figure] = []
    band = [at for at in zip(x, line.lows, line.highs, strict=True) if isfinite(sum(at))]
    if line.has_spread and len(band) > 1:
        xs, lows, highs = zip(*band, strict=True)
        traces.append({"type": "scatter", "mode": "lines", "x": [*xs, *reversed(xs)],
                       "y": _round([*highs, *reversed(lows)]), "fill": "toself",
                       "fillcolor": faint(style.colour, 0.15), "line": {"width": 0}, "hoverinfo": "skip",
                       "showlegend": False, "legendgroup": escape(line.method)})  # fmt: skip
    traces.append({"type": "scatter", "mode": "lines+markers", "name": escape(line.name), "x": x,
                   "y": _round(line.means), "line": {"color": style.colour, "width": style.width, "dash": style.dash},
                   "marker": {"size": 8, "symbol": style.mark, "color": style.colour},
                   "legendgroup": escape(line.method), "text": told,
                   "hovertemplate": "%{text}<extra></extra>"})  # fmt: skip
    return traces


def _published(view: View, lines: dict[str, Series]) -> list[Figure]:
    traces: list[Figure] = []
    for method, points in published_series(view).items():
        if line := lines.get(method):
            name = escape(view.label_of(method))
            traces.append({
                "type": "scatter", "mode": "markers", "name": f"hollow: published ({SHORT})",
                "legendgroup": "published", "legendrank": len(lines), "showlegend": not traces,
                "x": [p.weights for p in points], "y": [p.psnr_db for p in points],
                "marker": {"size": 10, "symbol": f"{line.style.mark}-open", "color": line.style.colour},
                "text": [f"<b>{name}</b>, published<br>{count(p.weights)} weights<br>"
                         f"{'' if p.exact else 'about '}{db(p.psnr_db)} dB" for p in points],
                "hovertemplate": "%{text}<extra></extra>",
            })  # fmt: skip
    return traces


def _told(view: View, point: Point, words: str) -> str:
    """Everything about a point. Names are escaped: plotly reads a little HTML in its labels."""
    seeds = len(point.seeds)
    spread = f" (seeds from {db(point.low)} to {db(point.high)})" if seeds > 1 else ""
    shared = f", and {count(point.shared_numbers)} shared" if point.shared_numbers else ""
    lines = [
        f"<b>{escape(point.label)}</b>, {escape(point.level)}",
        f"{count(point.weights)} {point.unit} ({percent(point.weights / view.dense_weights)})",
        f"{count(point.numbers)} numbers, {count(point.bits)} bits{shared}",
        *([words] if words else []),
        f"{db(point.mean)} dB, mean of {counted(seeds, 'seed')}{spread}",
        f"{count(point.num_ok)} of {count(point.num_signals)} fits ok",
    ]
    return "<br>".join(lines)


def _round(values: Sequence[float]) -> list[float]:
    """Three digits, which no screen shows more of."""
    return [round(value, 3) for value in values]
