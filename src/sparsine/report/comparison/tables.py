"""Comparison cells as tables: in Markdown for documents, and as plain cells for the page."""

from collections.abc import Callable, Iterable, Sequence

from sparsine.measure.comparison.config import TUNED
from sparsine.report.comparison.budgets import budgets
from sparsine.report.comparison.pairs import Difference, paired_difference
from sparsine.report.comparison.points import CellRecord, MeanPoint, Value, known, mean_and_spread, steps_of
from sparsine.report.comparison.published import PublishedPoint, published_for
from sparsine.report.comparison.results import OURS, DataResults, results_of
from sparsine.report.comparison.same_quality import same_quality
from sparsine.report.comparison.tuned_tables import settings, worth
from sparsine.report.table import Table
from sparsine.report.wording import DASH, count, db, gain, percent, protocol

SPARSE = 0.1075
"""Differences are told from the paper's tenth round on: 10.7 % of the weights."""


def tables_of(cells: Iterable[CellRecord], kinds: Sequence[str] | None = None) -> list[Table]:
    """Every table that these cells allow, or those of some `kinds` (see `KINDS`).

    Raises:
        BadInput: not comparison cells, or none.
    """
    datasets = results_of(known(cells))
    return [table for kind in kinds or KINDS for results in datasets for table in KINDS[kind](results) if table.rows]


def tables_markdown(cells: Iterable[CellRecord], kinds: Sequence[str] | None = None) -> str:
    """The same in Markdown, each under its title."""
    return "\n".join(table.markdown() for table in tables_of(cells, kinds))


def psnr(results: DataResults) -> list[Table]:
    return _quality(results, "psnr", "PSNR (dB)", "adam", "psnr_db")


def two_steps(results: DataResults) -> list[Table]:
    """The paper's other protocol: SGD with the inner step size, for as few steps as in meta-learning."""
    return _quality(results, "sgd", "PSNR (dB)", "sgd", "psnr_db")


def tuned(results: DataResults) -> list[Table]:
    """Every method at its own best settings."""
    return _quality(results, "tuned", "PSNR (dB)", TUNED, "psnr_db")


def ssim(results: DataResults) -> list[Table]:
    return _quality(results, "ssim", "SSIM", "adam", "ssim")


def published_beside_ours(results: DataResults) -> list[Table]:
    """Only where the protocol is the same. Variants of ours stand beside the published Meta-SparseINR."""
    points, note = published_for(results.cells)
    theirs = {(p.method, p.round): p for p in points or ()}
    known_there = {p.method for p in points or ()}
    beside = {m: m if m in known_there else OURS for m in results.methods
              if m in known_there or results.family_of(m) == "ours"}  # fmt: skip
    pairs = {(p.method, p.round): (p, theirs[beside[p.method], p.round]) for p in results.points()
             if p.round is not None and (beside.get(p.method), p.round) in theirs}  # fmt: skip
    rounds = sorted({k for _, k in pairs})
    rows = []
    for other in dict.fromkeys(beside[m] for m, _ in pairs):
        label = "Meta-SparseINR" if other == OURS else results.label_of(other)
        published = (theirs.get((other, k)) for k in rounds)
        rows.append((f"{label}, published", *(_as_published(p) if p else DASH for p in published)))
        for method in dict.fromkeys(m for m, _ in pairs if beside[m] == other):
            told = (_against(*pairs[method, k]) if (method, k) in pairs else DASH for k in rounds)
            rows.append((results.label_of(method), *told))
    weights = {p.round: p.weights for p in points or ()}
    head = ("method", *(f"k = {k} ({count(weights[k])})" for k in rounds))
    note += " In brackets: ours minus published."
    if any(method != other for method, other in beside.items()):
        note += " Variants of ours stand beside the published Meta-SparseINR."
    return [Table("published", f"{results.label}: published and ours (dB)", head, tuple(rows), note=note)]


def _as_published(theirs: PublishedPoint) -> str:
    return db(theirs.psnr_db) if theirs.exact else f"about {theirs.psnr_db:.1f}"


def _against(ours: MeanPoint, theirs: PublishedPoint) -> str:
    return DASH if ours.mean is None else f"{mean_and_spread(ours, db)} ({gain(ours.mean - theirs.psnr_db)})"


def differences(results: DataResults) -> list[Table]:
    """Meta-SparseINR minus each other method, signal by signal, at the sparse levels."""
    levels = [level for level in results.levels if level.density <= SPARSE]
    rows = []
    for method in results.methods:
        found = [paired_difference(results, OURS, method, level.name) for level in levels]
        if method != OURS and any(found):
            rows.append((results.label_of(method), *(_told(d) for d in found)))
    head = ("method", *(f"{percent(level.density)} ({count(level.weights)})" for level in levels))
    return [Table(
        "differences", f"{results.label}: Meta-SparseINR minus the other (dB)", head, tuple(rows),
        note="Mean of the differences of single signals, each averaged over seeds, with the 95 % interval of that mean "
             "over signals (Student's t). The interval says nothing about other seeds.",
    )]  # fmt: skip


KINDS: dict[str, Callable[[DataResults], list[Table]]] = {
    "psnr": psnr, "same-psnr": same_quality, "differences": differences, "published": published_beside_ours,
    "sgd": two_steps, "ssim": ssim, "tuned": tuned, "settings": settings, "worth": worth, "budgets": budgets,
}  # fmt: skip


def _quality(results: DataResults, kind: str, what: str, fitted: str, value: Value) -> list[Table]:
    """Methods x levels, and below it what has levels of its own."""
    # who cannot be tuned has no row there
    points = [p for p in results.points(fitted, None, value) if p.num_signals or fitted != TUNED]
    if not any(p.means for p in points):
        return []
    form = _three_digits if value == "ssim" else db
    last = steps_of(results.cells, fitted)[-1]
    after = f"{count(last)} steps, each method at its own best settings" if fitted == TUNED else protocol(last, fitted)
    own = [p for p in points if p.level not in {level.name for level in results.levels}]
    shared = [p for p in points if p not in own]
    title = f"{results.label}: {what} after {after}"
    return [
        _by_level(results, kind, title, shared, form),
        _own_levels(results, kind, f"{title}, methods with levels of their own", own, form),
    ]


def _by_level(
    results: DataResults, kind: str, title: str, points: list[MeanPoint], form: Callable[[float | None], str]
) -> Table:
    at = {(p.method, p.level): p for p in points}
    methods = [method for method in results.methods if any(p.method == method for p in points)]
    levels = [level for level in results.levels if any(p.level == level.name for p in points)]
    rows = tuple((results.label_of(method),
                  *(_quality_cell(results, at.get((method, level.name)), form, level.weights) for level in levels))
                 for method in methods)  # fmt: skip
    strong = {(row, column + 1) for column, level in enumerate(levels)
              for row in _best([at.get((method, level.name)) for method in methods], form)}  # fmt: skip
    head = ("method", *(f"{percent(level.density)} ({count(level.weights)})" for level in levels))
    return Table(kind, title, head, rows, frozenset(strong), note=_by_level_note(results, points))


def _by_level_note(results: DataResults, points: list[MeanPoint]) -> str:
    weights = {level.name: level.weights for level in results.levels}
    off = max((abs(p.weights / weights[p.level] - 1) for p in points if weights[p.level] and p.family != "linear"),
              default=0.0)  # fmt: skip
    seeds = len(results.seeds)
    spread = f"Mean over {seeds} seeds ± their sample standard deviation" if seeds > 1 else "One seed"
    narrow = f" Weights differ from the heading by up to {percent(off)}: networks come in whole widths." if off else ""
    return f"{spread}; columns are surviving weights. The best of each column is bold.{narrow}"


def _own_levels(
    results: DataResults, kind: str, title: str, points: list[MeanPoint], form: Callable[[float | None], str]
) -> Table:
    rows = tuple((p.label, p.level, count(p.weights), count(p.numbers), count(p.bits),
                  count(p.shared_numbers) if p.shared_numbers else DASH, _quality_cell(results, p, form))
                 for p in points)  # fmt: skip
    head = ("method", "level", "weights or latents", "numbers", "bits", "shared numbers", "mean")
    return Table(kind, title, head, rows, left=2)


def _quality_cell(
    results: DataResults, point: MeanPoint | None, form: Callable[[float | None], str], weights: int | None = None
) -> str:
    """The mean with its spread, and how much of the evidence is missing; and the count of a linear method that differs
    from `weights`."""
    if point is None:
        return DASH
    differs = point.family == "linear" and weights not in (None, point.weights)
    own = f" ({count(point.weights)} {point.unit})" if differs else ""
    return mean_and_spread(point, form) + own + missing(results, point)


def missing(results: DataResults, point: MeanPoint) -> str:
    """Said behind a mean that others of its table have more evidence for: " (2 of 3 seeds, 19 of 20 signals)"."""
    lacks = []
    if point.seeds and len(point.seeds) < len(results.seeds) and point.family != "linear":  # nothing of it is random
        lacks.append(f"{len(point.seeds)} of {len(results.seeds)} seeds")
    if point.num_ok < point.num_signals:
        lacks.append(f"{point.num_ok} of {point.num_signals} signals")
    return f" ({', '.join(lacks)})" if lacks else ""


def _best(points: Sequence[MeanPoint | None], form: Callable[[float | None], str]) -> list[int]:
    """Where the best mean stands; all of them, where several read the same."""
    means = [None if p is None else p.mean for p in points]
    best = max((mean for mean in means if mean is not None), default=None)
    return [i for i, mean in enumerate(means) if mean is not None and form(mean) == form(best)]


def _told(difference: Difference | None) -> str:
    if difference is None:
        return DASH
    if difference.low is None:
        return gain(difference.mean)
    return f"{gain(difference.mean)} ({gain(difference.low)} to {gain(difference.high)})"


def _three_digits(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f}"
