"""A race in figures: everybody over omega_0, and who stayed how long."""

from collections.abc import Sequence
from dataclasses import replace
from math import inf, isfinite

from sparsine.counted import counted
from sparsine.measure.tuning.race import UNTUNED
from sparsine.measure.tuning.records import Record
from sparsine.measure.tuning.trial import score_of
from sparsine.report.axes import Chosen, Fractions
from sparsine.report.figure import PSNR, Axis, Figure, Line
from sparsine.report.styles import BAND, Style
from sparsine.report.wording import db, duration

STYLES = {"recipe": (Style("#c78000", "diamond", "solid", 3, 7), "recipe best, as it is"),
          "pattern": (Style(BAND, "circle", "solid", 1.3, 7), "patterns"),
          "narrow": (Style("#1c7ed6", "square", "solid", 1.3, 7), "narrow networks")}  # fmt: skip
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
    lines = [line for family in STYLES if (line := _family(record, rung, family))]
    return Figure(Axis("omega_0", Fractions()), _near(PSNR, lines), lines)


def race_lines(record: Record) -> Figure:
    """What everybody has over the recipe on each rung: a line ends where its candidate was dropped. Mean PSNR itself,
    where the recipe could not be fitted."""
    order = sorted(range(len(record["candidates"])), key=lambda c: (c != record["winner"], c != UNTUNED))
    lines = [line for candidate in order if (line := _line(record, candidate)).x]
    rungs = range(len(record["rungs"]))
    labels = {rung + 1.0: rung_name(record, rung).replace(", ", "\n") for rung in rungs}
    over = Axis("over recipe best (dB)") if _usual(record) else PSNR
    return Figure(Axis("rung", Chosen(labels, many=len(rungs)), (0.8, len(rungs) + 0.2)), _near(over, lines), lines)


def _usual(record: Record) -> dict[int, float]:
    """Of the recipe, by rung; nothing unless there is a number on each."""
    found = {t["rung"]: score_of(t) for t in record["trials"] if t["candidate"] == UNTUNED and isfinite(score_of(t))}
    return found if len(found) == len(record["rungs"]) else {}


def _near(axis: Axis, lines: Sequence[Line]) -> Axis:
    """With ends that hold all that is near the best; what is further down can be moved to."""
    ys = [y for line in lines for y in line.y if y is not None and isfinite(y)]
    low, high = max(min(ys, default=0.0), max(ys, default=1.0) - NEAR_DB), max(ys, default=1.0)
    room = 0.08 * (high - low) + 0.02
    return replace(axis, ends=(low - room, high + room))


def _family(record: Record, rung: int, family: str) -> Line | None:
    style, name = STYLES[family]
    trials = [trial for trial in record["trials"] if trial["rung"] == rung and score_of(trial) > -inf
              and record["candidates"][trial["candidate"]]["family"] == family]  # fmt: skip
    won = [trial["candidate"] == record["winner"] for trial in trials]
    return Line(
        name, style, [record["candidates"][trial["candidate"]]["omega_0"] for trial in trials],
        [score_of(trial) for trial in trials], [_note(record, trial) for trial in trials], joined=False,
        colours=[WINNER if is_winner else style.colour for is_winner in won],
        sizes=[14 if is_winner else 10 for is_winner in won],
    ) if trials else None  # fmt: skip


def _line(record: Record, candidate: int) -> Line:
    family, is_winner = record["candidates"][candidate]["family"], candidate == record["winner"]
    style, name = STYLES[family]
    if is_winner:
        style, name = replace(style, colour=WINNER, width=3, size=10), f"chosen: {name_of(record, candidate)}"
    usual = _usual(record)
    trials = [trial for trial in record["trials"] if trial["candidate"] == candidate and score_of(trial) > -inf]
    trials.sort(key=lambda trial: trial["rung"])
    return Line(name, style, [trial["rung"] + 1 for trial in trials],
                [score_of(trial) - usual.get(trial["rung"], 0.0) for trial in trials],
                [_note(record, trial) for trial in trials], group="winner" if is_winner else family)  # fmt: skip


def _note(record: Record, trial: Record) -> str:
    """Everything about a trial."""
    of = record["candidates"][trial["candidate"]]
    return "\n".join([
        f"{name_of(record, trial['candidate'])}, rung {trial['rung'] + 1}", f"{db(score_of(trial))} dB",
        f"omega_0 {of['omega_0']:g}, offset {of['output_offset']:g}",
        f"{counted(of['hidden_layers'], 'layer')} of {of['width']}, score step {of['score_step_size']:.2g}",
        f"fit step size {trial['step_size']:g}, {duration(trial['seconds']['all'])}",
    ])  # fmt: skip
