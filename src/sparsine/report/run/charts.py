"""The interactive figures of the report, as plain plotly descriptions.

Plain dicts rather than graph_objects: those take a second to import. Colours of text, grids and backgrounds are left to
the page, which knows whether the reader prefers light or dark, and `legend` says only where there is room for it.
"""

from collections.abc import Sequence
from html import escape
from math import isfinite, log10
from typing import Any

from sparsine.counted import counted
from sparsine.evenly import evenly
from sparsine.report.colours import BAND, SCRATCH, faint, ramp_of
from sparsine.report.run.rows import Row, scratch_and_starts
from sparsine.report.wording import count, db, interval, percent

Figure = dict[str, Any]
MAX_CURVES = 8
MAX_TICKS = 6
OTHER_STEPS = (2, 10)


def psnr_against_weights(rows: Sequence[Row]) -> Figure:
    """Mean PSNR after the last step over surviving weights, with a band that holds four signals of five."""
    scratch, starts = scratch_and_starts(rows)
    shown = [row for row in starts if row.final_psnr_db is not None]
    traces = [_band(shown), *_earlier(shown), _learned(shown)] if shown else []
    if scratch and scratch.final_psnr_db is not None:
        traces += _reference(scratch, [row.weights for row in rows])
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": "surviving weights"}, "type": "log", **_weight_ticks(rows)},
        "yaxis": psnr_axis(), "hovermode": "closest",
    }}  # fmt: skip


def psnr_against_steps(rows: Sequence[Row]) -> Figure:
    """Mean PSNR while signals are fitted: a line for each start, from dense to sparse."""
    scratch, starts = scratch_and_starts(rows)
    visible = {row.name for row in evenly(starts, MAX_CURVES)}
    traces = [
        _fitting_curve(row, colour, "solid", shown=row.name in visible)
        for row, colour in zip(starts, ramp_of(len(starts)), strict=True)
    ]
    if scratch:
        traces.insert(0, _fitting_curve(scratch, SCRATCH, "dash", shown=True))
    ticks = spaced_steps(sorted({step for row in rows for step in row.steps}))
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": "fitting steps"}, "tickvals": [step_position(s) for s in ticks],
                  "ticktext": [count(s) for s in ticks], "zeroline": False},
        "yaxis": psnr_axis(), "hovermode": "closest", "legend": "beside",
    }}  # fmt: skip


def _learned(rows: list[Row]) -> Figure:
    name = f"learned starts, after {counted(rows[0].steps[-1], 'step')}"
    return {"type": "scatter", "mode": "lines+markers", "name": name,
            "x": [row.weights for row in rows], "y": [row.final_psnr_db for row in rows],
            "line": {"color": BAND, "width": 2.5}, "marker": {"size": 10, "color": ramp_of(len(rows))},
            "text": [_told(row) for row in rows], "hovertemplate": "%{text}<extra></extra>"}  # fmt: skip


def _band(rows: list[Row]) -> Figure:
    """There and back again, so that one closed outline is filled."""
    spreads = [(row.weights, *ends) for row in rows if isfinite(sum(ends := row.band))]
    return {"type": "scatter", "mode": "lines", "name": "10th to 90th percentile", "hoverinfo": "skip",
            "x": [w for w, _, _ in spreads] + [w for w, _, _ in reversed(spreads)],
            "y": [top for _, _, top in spreads] + [low for _, low, _ in reversed(spreads)],
            "fill": "toself", "fillcolor": faint(BAND, 0.14), "line": {"width": 0}}  # fmt: skip


def _earlier(rows: list[Row]) -> list[Figure]:
    """What a few steps give; hidden until the reader asks for it in the legend."""
    steps = [step for step in OTHER_STEPS if step in rows[0].steps[:-1]]
    return [{"type": "scatter", "mode": "lines+markers", "name": f"after {counted(step, 'step')}",
             "visible": "legendonly", "x": [row.weights for row in rows], "y": [row.mean_after(step) for row in rows],
             "line": {"color": BAND, "width": 1.5, "dash": "dot"}, "marker": {"size": 6},
             "hovertemplate": "%{x:,} weights: %{y:.2f} dB<extra></extra>"} for step in steps]  # fmt: skip


def _reference(scratch: Row, weights: list[int]) -> list[Figure]:
    line = {"type": "scatter", "mode": "lines", "x": [min(weights), max(weights)], "y": [scratch.final_psnr_db] * 2,
            "line": {"color": SCRATCH, "width": 1.5, "dash": "dash"}, "hoverinfo": "skip", "showlegend": False,
            "legendgroup": "scratch"}  # fmt: skip
    point = {"type": "scatter", "mode": "markers", "x": [scratch.weights], "y": [scratch.final_psnr_db],
             "marker": {"size": 11, "symbol": "diamond", "color": SCRATCH}, "name": "dense, from scratch",
             "text": [_told(scratch)], "hovertemplate": "%{text}<extra></extra>",
             "legendgroup": "scratch"}  # fmt: skip
    return [line, point]


def _told(row: Row) -> str:
    """Everything about a point. Names are escaped: plotly reads a little HTML in its labels."""
    return (
        f"<b>{escape(row.label)}</b><br>{count(row.weights)} weights + {count(row.biases)} biases = {count(row.total)}"
        f"<br>density {percent(row.density)}<br>{db(row.final_psnr_db)} dB, mean of {counted(row.num_ok, 'signal')}"
        f"<br>from {interval(row.spread(0, 100))} dB"
    )


def _fitting_curve(row: Row, colour: str, dash: str, shown: bool) -> Figure:
    name = escape(row.label) if row.is_scratch else f"{escape(row.label)}, {count(row.weights)}"
    return {"type": "scatter", "mode": "lines+markers", "name": name, "visible": True if shown else "legendonly",
            "x": [step_position(step) for step in row.steps], "y": list(row.mean_psnr_db),
            "text": [count(step) for step in row.steps], "line": {"color": colour, "width": 2, "dash": dash},
            "marker": {"size": 5},
            "hovertemplate": f"{name}<br>after %{{text}} steps: %{{y:.2f}} dB<extra></extra>"}  # fmt: skip


def step_position(step: int) -> float:
    """Logarithmic, and yet with a place for 0."""
    return log10(1 + step)


def spaced_steps(steps: list[int]) -> list[int]:
    """Steps whose labels do not touch."""
    kept = steps[:1]
    for step in steps[1:]:
        if step_position(step) - step_position(kept[-1]) >= 0.045 * step_position(steps[-1]):
            kept.append(step)
    return kept


def _weight_ticks(rows: Sequence[Row]) -> Figure:
    ticks = evenly(sorted({row.weights for row in rows}), MAX_TICKS)
    density = {row.weights: row.density for row in rows}
    return {"tickvals": ticks, "ticktext": [f"{count(w)}<br>{percent(density[w])}" for w in ticks]}


def psnr_axis() -> Figure:
    return {"title": {"text": "PSNR (dB)"}, "zeroline": False}
