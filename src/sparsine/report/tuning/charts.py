"""The figures of the page, as plain plotly descriptions like those of report/run/charts.py."""

from math import inf, isfinite
from typing import Any

from sparsine.counted import counted
from sparsine.measure.tuning.race import UNTUNED
from sparsine.measure.tuning.records import Record
from sparsine.measure.tuning.trial import score_of
from sparsine.report.colours import BAND
from sparsine.report.run.charts import psnr_axis
from sparsine.report.wording import db, duration

Figure = dict[str, Any]
STYLES = {"recipe": ("#c78000", "diamond", "recipe best, as it is"), "pattern": (BAND, "circle", "patterns"),
         "narrow": ("#1c7ed6", "square", "narrow networks")}  # fmt: skip
WINNER = "#d6336c"
NEAR_DB = 10.0
"""Below the best: what a figure shows at first."""


def name_of(record: Record, candidate: int) -> str:
    """'pattern 7'."""
    family = record["candidates"][candidate]["family"]
    return "recipe best" if family == "recipe" else f"{family} {candidate}"


def rung_name(record: Record, rung: int) -> str:
    """'2: fast, 4 signals'."""
    of = record["rungs"][rung]
    return f"{rung + 1}: {of['effort']}, {counted(of['signals'], 'signal')}"


def psnr_against_omega(record: Record, rung: int) -> Figure:
    """Mean PSNR of everybody on a rung over omega_0."""
    traces = [trace for family in STYLES if (trace := _family(record, rung, family))]
    omegas = [x for trace in traces for x in trace["x"]]
    ticks = _ticks(min(omegas, default=1), max(omegas, default=1))
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": "omega_0"}, "type": "log", "tickvals": ticks,
                  "ticktext": [f"{tick:g}" for tick in ticks]},
        "yaxis": {**psnr_axis(), **_near(traces)}, "hovermode": "closest",
    }}  # fmt: skip


def race_lines(record: Record) -> Figure:
    """What everybody has over the recipe on each rung: a line ends where its candidate was dropped. Mean PSNR itself,
    where the recipe could not be fitted."""
    drawn = sorted(range(len(record["candidates"])), key=lambda c: (c == record["winner"], c == 0))
    named: set[str] = set()
    traces = []
    for candidate in drawn:
        if (trace := _line(record, candidate, named))["x"]:
            traces.append(trace)
            named.add(trace["legendgroup"])
    rungs = range(len(record["rungs"]))
    over = {"title": {"text": "over recipe best (dB)"}} if _usual(record) else {}
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": "rung"}, "tickvals": [rung + 1 for rung in rungs],
                  "ticktext": [rung_name(record, rung).replace(", ", "<br>") for rung in rungs],
                  "range": [0.8, len(rungs) + 0.2]},
        "yaxis": {**psnr_axis(), **over, **_near(traces)}, "hovermode": "closest",
    }}  # fmt: skip


def _usual(record: Record) -> dict[int, float]:
    """Of the recipe, by rung; nothing unless there is a number on each."""
    found = {t["rung"]: score_of(t) for t in record["trials"] if t["candidate"] == UNTUNED and isfinite(score_of(t))}
    return found if len(found) == len(record["rungs"]) else {}


def _near(traces: list[Figure]) -> Figure:
    """The range that holds all that is near the best; what is further down can be moved to."""
    ys = [y for trace in traces for y in trace["y"] if isfinite(y)]
    low, high = max(min(ys, default=0.0), max(ys, default=1.0) - NEAR_DB), max(ys, default=1.0)
    room = 0.08 * (high - low) + 0.02
    return {"range": [low - room, high + room]}


def _family(record: Record, rung: int, family: str) -> Figure | None:
    colour, symbol, name = STYLES[family]
    points = [(record["candidates"][t["candidate"]]["omega_0"], t) for t in record["trials"]
              if t["rung"] == rung and record["candidates"][t["candidate"]]["family"] == family
              and score_of(t) > -inf]  # fmt: skip
    if not points:
        return None
    return {"type": "scatter", "mode": "markers", "name": name, "x": [x for x, _ in points],
            "y": [round(score_of(trial), 4) for _, trial in points],
            "marker": {"color": [WINNER if trial["candidate"] == record["winner"] else colour for _, trial in points],
                       "size": [14 if trial["candidate"] == record["winner"] else 10 for _, trial in points],
                       "symbol": symbol, "opacity": 1},
            "text": [_told(record, trial) for _, trial in points],
            "hovertemplate": "%{text}<extra></extra>"}  # fmt: skip


def _line(record: Record, candidate: int, named: set[str]) -> Figure:
    family = record["candidates"][candidate]["family"]
    is_winner = candidate == record["winner"]
    colour, symbol, name = STYLES[family]
    usual = _usual(record)
    group = "winner" if is_winner else family
    trials = [t for t in record["trials"] if t["candidate"] == candidate and score_of(t) > -inf]
    trials.sort(key=lambda trial: trial["rung"])
    return {"type": "scatter", "mode": "lines+markers", "legendgroup": group, "showlegend": group not in named,
            "name": f"chosen: {name_of(record, candidate)}" if is_winner else name,
            "x": [trial["rung"] + 1 for trial in trials],
            "y": [round(score_of(trial) - usual.get(trial["rung"], 0.0), 4) for trial in trials],
            "line": {"color": WINNER if is_winner else colour, "width": 3 if is_winner or family == "recipe" else 1.3},
            "marker": {"size": 10 if is_winner else 7, "symbol": symbol},
            "text": [_told(record, trial) for trial in trials], "hovertemplate": "%{text}<extra></extra>"}  # fmt: skip


def _told(record: Record, trial: Record) -> str:
    """Everything about a trial."""
    of = record["candidates"][trial["candidate"]]
    return "<br>".join([
        f"<b>{name_of(record, trial['candidate'])}</b>, rung {trial['rung'] + 1}", f"{db(score_of(trial))} dB",
        f"omega_0 {of['omega_0']:g}, offset {of['output_offset']:g}",
        f"{counted(of['hidden_layers'], 'layer')} of {of['width']}, score step {of['score_step_size']:.2g}",
        f"fit step size {trial['step_size']:g}, {duration(trial['seconds']['all'])}",
    ])  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, or the nearest two."""
    steps = [m * 10.0**e for e in range(-3, 6) for m in (1, 2, 5)]
    inside = [step for step in steps if 0.9 * low <= step <= 1.1 * high]
    return inside or [float(f"{low:.2g}")]
