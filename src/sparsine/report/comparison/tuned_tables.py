"""Tables of the tuned protocol, and of what a learned start has more than its pattern alone."""

from collections.abc import Callable, Iterable
from statistics import fmean
from typing import Any

from sparsine.measure.comparison.config import TUNED
from sparsine.report.comparison.pairs import paired_difference
from sparsine.report.comparison.points import CellRecord, MeanPoint, mean_and_spread, steps_of
from sparsine.report.comparison.results import DataResults
from sparsine.report.table import Table
from sparsine.report.wording import DASH, count, db, gain, measure, percent

PATTERN = "pattern"
PROTOCOLS = {"sgd": "paper, SGD", "adam": "paper, Adam", TUNED: "tuned"}


def settings(results: DataResults) -> list[Table]:
    """What each method chose at each level, and what a fit cost."""
    rows = [row for point in results.points(TUNED) if (row := _settings_row(results, point))]
    head = ("method", "level", "weights", "PSNR (dB)", "omega_0", "step size", "seconds a signal",
            "CPU seconds a signal", "trials")  # fmt: skip
    return [Table(
        "settings", f"{results.label}: settings that were chosen on validation signals", head, tuple(rows), left=2,
        note="One value a seed, where they differ. Seconds are of the fits of test signals, without the search, on "
             "whatever else the machine was doing; CPU seconds count what measuring took too.",
    )]  # fmt: skip


def worth(results: DataResults) -> list[Table]:
    """For each of our learned methods: its PSNR less that of the pattern alone, by steps and by level."""
    learned = [method for method in results.methods if results.family_of(method) == "ours"]
    return [_worth(results, method) for method in learned if PATTERN in results.methods]


def _worth(results: DataResults, method: str) -> Table:
    levels = [level for level in results.levels if any(
        (p.method, p.level) == (PATTERN, level.name) for p in results.points()
    )]  # fmt: skip
    rows = []
    for fitted, words in PROTOCOLS.items():
        for step in _steps_of_both(results, method, fitted):
            found = [paired_difference(results, method, PATTERN, level.name, fitted, step) for level in levels]
            if any(found):
                told = (DASH if one is None else gain(one.mean) for one in found)
                rows.append((f"{words}, {count(step)} steps" if step != 1 else f"{words}, 1 step", *told))
    head = ("fitted", *(f"{percent(level.density)} ({count(level.weights)})" for level in levels))
    label = results.label_of(method)
    return Table(
        "worth", f"{results.label}: what is meta-learning worth? {label} minus its pattern alone (dB)", head,
        tuple(rows),
        note="Mean of the differences of single signals, each averaged over seeds; above 0 the learned start is "
             "better. The pattern alone was looked for by saliency in a field of random numbers; tuned, it also has "
             "its own omega_0, where a learned start keeps the one that it was learned with. Tuned steps are many and "
             "small: each sees a part of the samples.",
    )  # fmt: skip


def _steps_of_both(results: DataResults, method: str, fitted: str) -> list[int]:
    both = [set(steps_of([cell for cell in results.cells if cell["method"] == name], fitted))
            for name in (method, PATTERN)]  # fmt: skip
    return sorted(both[0] & both[1])


def _settings_row(results: DataResults, point: MeanPoint) -> tuple[str, ...] | None:
    cells = [cell for cell in results.cells if (cell["method"], cell["level"]) == (point.method, point.level)]
    tuned = [cell["protocols"][TUNED] for cell in cells if cell["protocols"].get(TUNED, {}).get("trials")]
    if not tuned:
        return None
    return (
        point.label, point.level, count(point.weights), mean_and_spread(point, db),
        _each(tuned, lambda fit: fit["omega_0"]), _each(tuned, lambda fit: fit["lr"]),
        _a_signal(tuned, "seconds"), _a_signal(tuned, "cpu_seconds"), _each(tuned, lambda fit: len(fit["trials"])),
    )  # fmt: skip


def _each(tuned: Iterable[CellRecord], read: Callable[[CellRecord], Any]) -> str:
    return "; ".join(dict.fromkeys(DASH if (value := read(fit)) is None else measure(value) for fit in tuned))


def _a_signal(tuned: Iterable[CellRecord], what: str) -> str:
    return measure(fmean(fit["usage"][what] / max(len(fit["signals"]), 1) for fit in tuned))
