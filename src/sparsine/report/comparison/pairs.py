"""Two methods on the same signals: differences are taken signal by signal, which removes how hard a signal is."""

from dataclasses import dataclass
from math import isfinite, sqrt
from statistics import stdev

from scipy.special import stdtrit  # as scipy.stats.t.ppf, which takes a second to import

from sparsine.psnr import averaged_db, psnr_difference_db
from sparsine.report.comparison.points import Value, named_values
from sparsine.report.comparison.results import DataResults


@dataclass(frozen=True)
class Difference:
    """Mean over signals of (first method - second method), each signal averaged over seeds."""

    mean: float | None
    """None where perfect fits of both methods cancel."""
    low: float | None
    """95 % interval for the mean over signals like these; None for a single signal and where a fit is perfect. It says
    nothing about seeds."""
    high: float | None
    num_signals: int
    num_seeds: int


def paired_difference(
    results: DataResults, first: str, second: str, level: str, protocol: str = "adam", step: int | None = None,
    value: Value = "psnr_db",
) -> Difference | None:  # fmt: skip
    """Over the signals that are ok for both methods under the same seed; None when there is none."""
    by_signal: dict[str, list[float]] = {}
    num_seeds = 0
    for seed in results.seeds:
        cells = [results.cell(method, level, seed) for method in (first, second)]
        ours, theirs = (dict(named_values(cell, protocol, step, value)) if cell else {} for cell in cells)
        shared = ours.keys() & theirs.keys()
        num_seeds += bool(shared)
        for name in sorted(shared):
            by_signal.setdefault(name, []).append(psnr_difference_db(ours[name], theirs[name]))
    if not by_signal:
        return None
    of_signals = [averaged_db(found) for found in by_signal.values()]
    differences = [found for found in of_signals if found is not None]
    mean, half = averaged_db(differences), half_width(differences)
    low, high = (None, None) if mean is None or half is None else (mean - half, mean + half)
    return Difference(mean, low, high, len(by_signal), num_seeds)


def half_width(values: list[float]) -> float | None:
    """Of the 95 % interval of their mean, by Student's t; None for a single value, and where one is infinite."""
    if len(values) < 2 or not isfinite(sum(values)):
        return None
    return t_quantile(len(values) - 1) * stdev(values) / sqrt(len(values))


def t_quantile(freedom: int) -> float:
    """The 97.5 % point of Student's t."""
    return float(stdtrit(freedom, 0.975))
