"""What a run reached, as figures: PSNR over surviving weights, and while signals are fitted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.evenly import evenly
from sparsine.report.axes import Chosen, Steps
from sparsine.report.figure import PSNR, Axis, Band, Figure, Line, Reference
from sparsine.report.matplotlib_figures import Layout, save
from sparsine.report.run.rows import Row, rows_of, scratch_and_starts
from sparsine.report.styles import BAND, SCRATCH, Style, ramp_of
from sparsine.report.wording import count, db, interval, percent, protocol

MAX_CURVES = 8
OTHER_STEPS = (2, 10)


def save_summary_figure(records: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    """One panel a record, titled with its label: mean PSNR over surviving weights with the 10th to 90th percentile of
    the signals; dashed, the dense field fitted from scratch. The suffix of `path` is the format (.png, .svg, .pdf).

    Raises:
        BadInput: no record, or something else than an evaluation record.
        WorkFailed: the file cannot be written.
    """
    if not records:
        raise BadInput("a summary figure needs at least one evaluation record, but got none")
    panels = [replace(psnr_against_weights(rows_of(record), f"meta-learned starts, {_fitted(record)}"), title=label)
              for label, record in records]  # fmt: skip
    layout = Layout(panel=(3.9, 3.7), edge=(0.7, 0.0), most_columns=len(records), margins=(0.06, 0.12),
                    legend_inside=True, title_pad=10)  # fmt: skip
    save(panels, path, layout)


def psnr_against_weights(rows: Sequence[Row], name: str = "") -> Figure:
    """Mean PSNR after the last step over surviving weights, with a band that holds four signals of five."""
    scratch, starts = scratch_and_starts(rows)
    known = [row for row in starts if row.final_psnr_db is not None]
    colours = {row.name: colour for row, colour in zip(starts, ramp_of(len(starts)), strict=True)}
    lines = [_learned(known, colours, name), *_earlier(known)] if known else []
    references = []
    if scratch and scratch.final_psnr_db is not None:
        style = Style(SCRATCH, "diamond", "dash", 1.4, 11)
        references = [Reference("dense, from scratch", style, scratch.final_psnr_db, scratch.weights, _note(scratch))]
    labels = {float(row.weights): f"{count(row.weights)}\n{percent(row.density)}" for row in rows}
    return Figure(Axis("surviving weights", Chosen(labels, is_log=True)), PSNR, lines, references=references)


def psnr_against_steps(rows: Sequence[Row]) -> Figure:
    """Mean PSNR while signals are fitted: a line for each start, from dense to sparse."""
    scratch, starts = scratch_and_starts(rows)
    visible = {row.name for row in evenly(starts, MAX_CURVES)}
    lines = [_fitting_curve(row, Style(colour, "circle", "solid", 2, 5), row.name in visible)
             for row, colour in zip(starts, ramp_of(len(starts)), strict=True)]  # fmt: skip
    if scratch:
        lines.insert(0, _fitting_curve(scratch, Style(SCRATCH, "circle", "dash", 2, 5), True))
    steps = Steps([step for row in rows for step in row.steps])
    return Figure(Axis("fitting steps", steps), PSNR, lines, is_wide=True)


def _learned(rows: list[Row], colours: dict[str, str], name: str) -> Line:
    lows, highs = zip(*(row.band for row in rows), strict=True)
    return Line(
        name or f"learned starts, after {counted(rows[0].steps[-1], 'step')}", Style(BAND, "circle", "solid", 2, 10),
        [row.weights for row in rows], [row.final_psnr_db for row in rows], [_note(row) for row in rows],
        Band(lows, highs, "10th to 90th percentile", 0.13), colours=[colours[row.name] for row in rows],
    )  # fmt: skip


def _earlier(rows: list[Row]) -> list[Line]:
    """What a few steps give; hidden until the reader asks for it in the legend."""
    return [Line(f"after {counted(step, 'step')}", Style(BAND, "circle", "dot", 1.5, 6), [row.weights for row in rows],
                 [row.mean_after(step) for row in rows], "{x:,} weights: {y:.2f} dB", shown=False)
            for step in OTHER_STEPS if step in rows[0].steps[:-1]]  # fmt: skip


def _fitting_curve(row: Row, style: Style, shown: bool) -> Line:
    name = row.label if row.is_scratch else f"{row.label}, {count(row.weights)}"
    notes = [f"{name}\nafter {counted(step, 'step')}: {db(psnr)} dB"
             for step, psnr in zip(row.steps, row.mean_psnr_db, strict=True)]  # fmt: skip
    return Line(name, style, row.steps, row.mean_psnr_db, notes, shown=shown)


def _note(row: Row) -> str:
    """Everything about a mark."""
    return (
        f"{row.label}\n{count(row.weights)} weights + {count(row.biases)} biases = {count(row.total)}\n"
        f"density {percent(row.density)}\n{db(row.final_psnr_db)} dB, mean of {counted(row.num_ok, 'signal')}\n"
        f"from {interval(row.spread(0, 100))} dB"
    )


def _fitted(record: dict[str, Any]) -> str:
    return protocol(record["protocol"]["steps"], record["protocol"]["optimizer"])
