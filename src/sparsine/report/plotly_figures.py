"""Figures for pages, as plain plotly descriptions.

Plain dicts rather than graph_objects: those take a second to import. Colours of text, grids and backgrounds are left to
the page, which knows whether the reader prefers light or dark, and `legend` says only where there is room for it.
"""

from collections.abc import Iterator, Sequence
from html import escape
from math import isfinite, log10
from typing import Any

from sparsine.report.axes import Scale
from sparsine.report.figure import Axis, Figure, Line, Reference
from sparsine.report.styles import SCRATCH, faint

Described = dict[str, Any]


def described(figure: Figure) -> Described:
    """Traces and layout. Names are escaped: plotly reads a little HTML in its labels."""
    lines, scale = figure.lines, figure.x.scale
    traces = [trace for rank in reversed(range(len(lines))) for trace in _line(lines, rank, scale)]
    xs = [x for line in lines for x in line.x]
    references = [trace for reference in figure.references for trace in _reference(reference, xs, len(lines))]
    layout: Described = {"xaxis": _axis(figure.x, xs), "yaxis": _axis(figure.y, ()), "hovermode": "closest"}
    if figure.x.scale is None:
        layout["xaxis"]["tickformat"] = ","
    if figure.is_wide:
        layout["legend"] = "beside"
    if figure.breaks:
        layout["shapes"] = [_break(at) for at in figure.breaks]
    return {"data": traces + references, "layout": layout}


def _axis(axis: Axis, xs: Sequence[float]) -> Described:
    found: Described = {"title": {"text": axis.title}}
    scale = axis.scale
    if scale is None or not scale.is_log:
        found["zeroline"] = False
    if scale and scale.is_log:
        found["type"] = "log"
    if scale and xs:
        low, high = axis.ends or (min(xs), max(xs))
        ticks = scale.ticks(scale.position(low), scale.position(high), scale.many)
        labels = [escape(label).replace("\n", "<br>") for _, label in ticks]
        found |= {"tickvals": [at for at, _ in ticks], "ticktext": labels}
    if axis.ends:
        found["range"] = [log10(end) if scale and scale.is_log else end for end in axis.ends]
    return found


def _line(lines: Sequence[Line], rank: int, scale: Scale | None) -> Iterator[Described]:
    """The line, and below it its band."""
    line = lines[rank]
    group = line.group or line.name
    common = {"type": "scatter", "legendgroup": escape(group), "legendrank": rank}
    x = [scale.position(value) if scale else value for value in line.x]
    if band := _band(line, x):
        yield common | band
    style = line.style
    modes = [mode for mode, asked in (("lines", line.joined), ("markers", line.marked)) if asked]
    trace = common | {
        "mode": "+".join(modes), "name": escape(line.name), "x": _rounded(x), "y": _rounded(line.y),
        "showlegend": not any(other.group == line.group for other in lines[:rank] if line.group),
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    if line.joined:
        trace["line"] = {"color": style.colour, "width": style.width, "dash": style.dash}
    if line.marked:
        trace["marker"] = {
            "color": list(line.colours) or style.colour, "size": list(line.sizes) or style.size,
            "symbol": f"{style.mark}-open" if line.hollow else style.mark,
        }  # fmt: skip
    if not line.shown:
        trace["visible"] = "legendonly"
    yield trace | _notes(line)


def _notes(line: Line) -> Described:
    if isinstance(line.notes, str):
        told = escape(line.notes).replace("{", "%{").replace("\n", "<br>")
        return {"hovertemplate": f"<b>{escape(line.name)}</b><br>{told}<extra></extra>"}
    return {"text": [_note(note) for note in line.notes]}


def _note(note: str) -> str:
    """Lines, the first of which stands out."""
    head, *more = escape(note).split("\n")
    return "<br>".join([f"<b>{head}</b>", *more])


def _band(line: Line, x: Sequence[float]) -> Described | None:
    """There and back again, so that one closed outline is filled; none of a single mark."""
    if line.band is None:
        return None
    held = [at for at in zip(x, line.band.lows, line.band.highs, strict=True) if isfinite(sum(at))]
    if len(held) < 2 and not line.band.name:
        return None
    xs, lows, highs = zip(*held, strict=True) if held else ((), (), ())
    return {
        "mode": "lines", "x": _rounded([*xs, *reversed(xs)]), "y": _rounded([*highs, *reversed(lows)]),
        "fill": "toself", "fillcolor": faint(line.style.colour, line.band.opacity), "line": {"width": 0},
        "hoverinfo": "skip", "name": escape(line.band.name), "showlegend": bool(line.band.name),
    }  # fmt: skip


def _reference(reference: Reference, xs: Sequence[float], rank: int) -> list[Described]:
    style = reference.style
    common = {"type": "scatter", "legendgroup": escape(reference.name), "legendrank": rank}
    ends = [*xs, reference.x]
    across = {"mode": "lines", "x": [min(ends), max(ends)], "y": _rounded([reference.y] * 2), "hoverinfo": "skip",
              "line": {"color": style.colour, "width": style.width, "dash": style.dash},
              "showlegend": False}  # fmt: skip
    mark = {"mode": "markers", "x": [reference.x], "y": _rounded([reference.y]), "name": escape(reference.name),
            "marker": {"size": style.size, "symbol": style.mark, "color": style.colour},
            "text": [_note(reference.note)], "hovertemplate": "%{text}<extra></extra>"}  # fmt: skip
    return [common | across, common | mark]


def _break(at: float) -> Described:
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "layer": "between",
            "line": {"color": SCRATCH, "width": 1, "dash": "dot"}}  # fmt: skip


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    """Five digits after the point, which no screen shows more of; what no axis holds is a gap."""
    return [round(value, 5) if value is not None and isfinite(value) else None for value in values]
