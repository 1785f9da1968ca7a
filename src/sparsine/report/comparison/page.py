"""The page of a comparison; templates/comparison.html.j2 says what stands where."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sparsine.counted import counted
from sparsine.measure.comparison.config import TUNED
from sparsine.report.comparison.figures import AXES, count_figure, step_figure
from sparsine.report.comparison.gallery import grid_columns, grid_levels, grid_lines, unit
from sparsine.report.comparison.notes import notes_of, outcomes_of, trial_note
from sparsine.report.comparison.points import CellRecord, known
from sparsine.report.comparison.results import OURS, DataResults, SparsityLevel, results_of
from sparsine.report.comparison.tables import tables_of
from sparsine.report.figure import Figure
from sparsine.report.html import Card, write_page
from sparsine.report.styles import Style, styles_of
from sparsine.report.wording import count, db, percent, plain, shape

MAX_OUTCOMES = 100
RECORDS = ("cells.jsonl", "comparison.json")
APART = {"ablation": "What makes the difference", "transfer": "Starts learned on other data"}
HEADINGS = {
    "psnr": "How good", "same-psnr": "How many weights for the same PSNR", "differences": "Signal by signal",
    "published": "Beside the published figures", "sgd": "After two steps of SGD", "ssim": "SSIM",
    "tuned": "Each at its own best settings", "settings": "The settings that were chosen",
    "worth": "What is meta-learning worth", "budgets": "What it cost",
}  # fmt: skip


def write_comparison_page(folder: Path, cells: Iterable[CellRecord], command: str = "") -> Path:
    """Write `folder`/comparison.html from comparison cells and the pictures in the folder; what is missing is left out.
    `command` is the one that made it.

    Raises:
        BadInput: not comparison cells, or none.
        WorkFailed: the page cannot be written.
    """
    path = folder / "comparison.html"
    write_page(path, "comparison.html.j2", page_context(folder, known(cells)),
               commands={"This page, and what it is made from": command}, records=RECORDS)  # fmt: skip
    return path


def page_context(folder: Path, cells: list[CellRecord]) -> dict[str, Any]:
    """Everything that the template asks for."""
    datasets = results_of(cells)
    styles = styles_of(cell["method"] for cell in cells)
    figures = _figures(datasets, styles)
    outcomes = outcomes_of(cells)
    return {
        "name": ", ".join(sorted({str(cell["comparison"]) for cell in cells})), "sentence": _sentence(datasets, cells),
        "trial": trial_note(cells),
        "views": datasets, "cards": [card for one in datasets for card in _cards(one)], "figures": figures,
        "axes": AXES,
        "level_names": _level_names(datasets),
        "apart": _apart(datasets, figures),
        "galleries": _galleries(folder, datasets),
        "tables": _tables(cells), "notes": notes_of(datasets), "outcomes": outcomes, "max_outcomes": MAX_OUTCOMES,
        "origin": _origin(datasets, cells),
    }  # fmt: skip


def _figures(datasets: Sequence[DataResults], styles: dict[str, Style]) -> dict[str, Figure]:
    """By name: what is drawn, the place of the data set, and the choice among several."""
    made: dict[str, Figure | None] = {}
    for i, results in enumerate(datasets):
        families = results.main_families
        made |= {f"count-{i}-{what}": count_figure(results, what, families, styles) for what in AXES}
        for number, level in enumerate(results.shown_levels):
            made[f"steps-{i}-{number}"] = step_figure(results, level, styles)
        if results.is_tuned:
            made[f"tuned-{i}"] = count_figure(results, "weights", families, styles, TUNED, with_published=False)
            for number, level in enumerate(results.shown_levels):
                made[f"tuned-{i}-{number}"] = step_figure(results, level, styles, TUNED)
        for family in APART:
            if any(results.family_of(method) == family for method in results.methods):
                made[f"{family}-{i}"] = count_figure(results, "weights", ("ours", family), styles, with_published=False)
    return {name: figure for name, figure in made.items() if figure}


def _apart(datasets: Sequence[DataResults], figures: dict[str, Figure]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Headings of the figures of the tuned protocol, ablations and transfer, each with data sets and names of
    figures."""
    found = [(heading, [(one.label, f"{family}-{i}") for i, one in enumerate(datasets) if f"{family}-{i}" in figures])
             for family, heading in {TUNED: HEADINGS[TUNED], **APART}.items()]  # fmt: skip
    found.insert(1, ("The same, step after step", [
        (f"{results.label}, {percent(level.density)} of the weights", name) for i, results in enumerate(datasets)
        for number, level in enumerate(results.shown_levels) if (name := f"{TUNED}-{i}-{number}") in figures
    ]))  # fmt: skip
    return [(heading, shown) for heading, shown in found if shown]


def _level_names(datasets: Sequence[DataResults]) -> list[str]:
    """What to call the first and the second level of the figures over steps: densities, by data set where they
    differ."""
    levels = [results.shown_levels for results in datasets]
    names = []
    for number in range(max(map(len, levels), default=0)):
        found = dict.fromkeys(percent(own[number].density) for own in levels if number < len(own))
        names.append(" or ".join(found))
    return names


def _sentence(datasets: Sequence[DataResults], cells: Sequence[CellRecord]) -> str:
    def number(items: Iterable[Any], singular: str) -> str:
        return counted(len(set(items)), singular)

    methods = number((cell["method"] for cell in cells), "method")
    levels = number((level.name for results in datasets for level in results.levels), "level")
    seeds = number((cell["seed"] for cell in cells), "seed")
    where = number((results.label for results in datasets), "data set")
    signals = max((len(fit["signals"]) for cell in cells for fit in cell["protocols"].values()), default=0)
    return (f"{methods} at {levels} of sparsity on {where}, with {seeds}: {counted(len(cells), 'cell')}, in each of "
            f"which up to {counted(signals, 'unseen test signal')} were fitted.")  # fmt: skip


def _cards(results: DataResults) -> list[Card]:
    """Ours at the levels that the figures show, with the best of the paper's baselines there. What is over some of the
    signals says over how many."""
    cards = []
    for level in results.shown_levels:
        at = [p for p in results.points() if p.level == level.name and p.mean is not None]
        ours = next((p for p in at if p.method == OURS), None)
        best = max((p for p in at if p.family == "baseline"), key=lambda p: p.mean or 0.0, default=None)
        if ours:
            details = [f"{ours.label}, {count(ours.weights)} weights", f"{count(ours.numbers)} with biases"]
            if ours.lacks:
                details.append(f"mean of {ours.num_ok} of {ours.num_signals} fits")
            if best:
                details.append(f"best baseline: {best.label}, {db(best.mean)} dB{best.lacks}")
            title = f"{results.label}, {percent(level.density)} of the weights"
            cards.append(Card(title, db(ours.mean), "dB", tuple(details)))
    return cards


def _tables(cells: list[CellRecord]) -> list[tuple[str, list[Any]]]:
    """A heading with its tables."""
    tables = tables_of(cells)
    return [(heading, found) for kind, heading in HEADINGS.items() if (found := [t for t in tables if t.kind == kind])]


def _galleries(folder: Path, datasets: Sequence[DataResults]) -> list[dict[str, Any]]:
    """One a data set, at the sparsest of the levels that are shown."""
    return [gallery for results in datasets for level in grid_levels(folder, results)[-1:]
            if (gallery := _gallery(folder, results, level))["lines"]]  # fmt: skip


def _gallery(folder: Path, results: DataResults, level: SparsityLevel) -> dict[str, Any]:
    columns = grid_columns(folder, results, level)
    return {"data": results.label, "density": level.density, "lines": grid_lines(folder, results, columns),
            "columns": [{"label": cell["label"], "weights": cell["weights"], "unit": unit(cell)}
                        for cell in columns]}  # fmt: skip


def _origin(datasets: Sequence[DataResults], cells: Sequence[CellRecord]) -> dict[str, dict[str, str]]:
    """Groups of settings; where cells differ, every value."""
    created = sorted(str(cell["created"]) for cell in cells)
    return {
        "origin": {"measured": created[0] if created[0] == created[-1] else f"{created[0]} to {created[-1]}",
                   "commit": _distinct(cell["commit"] for cell in cells),
                   "seeds": _distinct(sorted({cell["seed"] for cell in cells})), "cells": count(len(cells))},
        "versions": _settings([cell["versions"] for cell in cells]),
        "hardware": _settings([cell["hardware"] for cell in cells]),
        **{f"protocol {name}": _protocol([cell["protocols"][name] for cell in cells if name in cell["protocols"]])
           for name in dict.fromkeys(name for cell in cells for name in cell["protocols"])},
        **{f"data {results.label}": _data(results) for results in datasets},
    }  # fmt: skip


def _protocol(fits: Sequence[dict[str, Any]]) -> dict[str, str]:
    steps = sorted({step for fit in fits for step in fit["steps"]})
    return {"optimizer": _distinct(fit["optimizer"] for fit in fits), "step size": _distinct(fit["lr"] for fit in fits),
            "measured after": ", ".join(map(count, steps))}  # fmt: skip


def _data(results: DataResults) -> dict[str, str]:
    data = results.cells[0]["data"]
    fields = [cell for cell in results.cells if cell["field"]]
    field = max((cell["field"] for cell in fields if cell["family"] == "ours"),
                default=fields[0]["field"] if fields else None, key=lambda field: sum(field["sizes"]))  # fmt: skip
    signals = max((len(fit["signals"]) for cell in results.cells for fit in cell["protocols"].values()), default=0)
    return {"source": data["spec"], "values": data["value_kind"], "shape": shape(data["shape"]),
            "split": data["split"], "signals": count(signals),
            **(_field(field) if field else {})}  # fmt: skip


def _field(field: dict[str, Any]) -> dict[str, str]:
    """Sizes, and omega_0 of a SIREN; activation and encoding of any other."""
    sizes = {"field": "-".join(map(str, field["sizes"]))}
    if "omega_0" in field:
        return sizes | {"omega_0": plain(field["omega_0"])}
    return sizes | {part: ", ".join(plain(value) for value in field[part].values() if value is not None)
            for part in ("activation", "encoding")}  # fmt: skip


def _settings(groups: Sequence[dict[str, Any]]) -> dict[str, str]:
    names = dict.fromkeys(name for group in groups for name in group)
    return {name: _distinct(group.get(name) for group in groups) for name in names}


def _distinct(values: Iterable[Any]) -> str:
    return "; ".join(dict.fromkeys(plain(value) for value in values))
