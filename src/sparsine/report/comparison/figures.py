"""The figures of a comparison: PSNR over what is stored and over steps, a line for each method."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sparsine.counted import counted
from sparsine.measure.comparison.config import TUNED
from sparsine.report.axes import Counts, Steps
from sparsine.report.comparison.gallery import grid_levels, save_grid
from sparsine.report.comparison.points import CellRecord, Count, MeanPoint, known, points_of, steps_of
from sparsine.report.comparison.published import SHORT, PublishedPoint, published_for
from sparsine.report.comparison.results import DataResults, SparsityLevel, results_of
from sparsine.report.figure import PSNR, Axis, Band, Figure, Line
from sparsine.report.matplotlib_figures import SUFFIXES, Layout, save
from sparsine.report.styles import Style, styles_of
from sparsine.report.wording import count, db, percent
from sparsine.signals.file_names import FileNames

AXES: dict[Count, str] = {"weights": "surviving weights", "numbers": "numbers stored for a signal, biases counted",
                          "bits": "bits stored for a signal"}  # fmt: skip
MOST_COLUMNS = 3
LEAST_WIDTH = 5.8
"""Inches: what the legend needs."""
Sheet = tuple[list[Figure | None], int]
"""Panels, and how many stand beside each other."""


def write_figures(folder: Path, cells: Iterable[CellRecord], where: Path) -> list[Path]:
    """Every figure that the cells of the comparison in `folder` allow, as PNG and as SVG (grids of pictures: PNG only);
    one without data is left out.

    Raises:
        BadInput: not comparison cells, or none.
        WorkFailed: a file cannot be written.
    """
    datasets = results_of(known(cells))
    written, names = [], FileNames()
    for name, (panels, columns) in sheets(datasets).items():
        for path in (where / f"{name}{suffix}" for suffix in SUFFIXES):
            save(panels, path, Layout(most_columns=columns, least_width=LEAST_WIDTH))
            written.append(path)
    for results in datasets:
        for level in grid_levels(folder, results):
            path = where / f"{names.of(f'grid-{results.label}-{level.name}')}.png"
            save_grid(folder, results, level, path)
            written.append(path)
    return written


def sheets(datasets: Sequence[DataResults]) -> dict[str, Sheet]:
    """By name, the panels of each figure that has data."""
    styles = styles_of(method for results in datasets for method in results.methods)
    found: dict[str, list[Figure | None]] = {
        f"psnr-against-{what}": [count_figure(results, what, results.main_families, styles) for results in datasets]
        for what in AXES
    }
    found["psnr-against-steps"] = [
        step_figure(results, results.shown_levels[row], styles) if row < len(results.shown_levels) else None
        for row in range(max((len(one.shown_levels) for one in datasets), default=0)) for results in datasets
    ]  # fmt: skip
    tuned = [results for results in datasets if results.is_tuned]
    found["tuned-psnr-against-weights"] = [
        count_figure(results, "weights", results.main_families, styles, TUNED, with_published=False)
        for results in tuned
    ]
    found["tuned-psnr-against-steps"] = [
        step_figure(results, level, styles, TUNED) for results in tuned for level in results.shown_levels
    ]
    for name, family in (("ablations", "ablation"), ("transfer", "transfer")):
        having = [
            results for results in datasets if any(results.family_of(method) == family for method in results.methods)
        ]
        found[name] = [
            count_figure(results, "weights", ("ours", family), styles, with_published=False) for results in having
        ]
    columns = {"psnr-against-steps": len(datasets)} if len(datasets) > 1 else {}
    return {name: (panels, columns.get(name, MOST_COLUMNS)) for name, panels in found.items() if any(panels)}


def count_figure(
    results: DataResults, what: Count, families: Iterable[str], styles: dict[str, Style], fitted: str = "adam", *,
    with_published: bool = True,
) -> Figure | None:  # fmt: skip
    """Mean PSNR after the last step of a protocol over a count, a line for each method; None without a single point."""
    wanted, every = set(families), results.points(fitted)
    lines, drawn = [], {}
    for method in results.methods:
        points = sorted((p for p in results.curve(method, every) if p.count(what) > 0), key=lambda p: p.count(what))
        if points and results.family_of(method) in wanted:
            name = results.label_of(method)
            if what != "weights" and (shared := max(p.shared_numbers for p in points)):
                name += f", and {count(shared)} shared"
            drawn[method] = styles[method]
            lines.append(_line(results, name, styles[method], [(p.count(what), p, "") for p in points]))
    if what == "weights" and with_published:  # the paper counts weights
        lines += _published(results, drawn)
    return Figure(Axis(AXES[what], Counts()), PSNR, lines, results.label, is_wide=True) if drawn else None


def step_figure(
    results: DataResults, level: SparsityLevel, styles: dict[str, Style], fitted: str = "adam"
) -> Figure | None:
    """Mean PSNR while signals are fitted, of the methods that have this level or may stand beside it; None without a
    single point."""
    lines = []
    for method, own in results.beside(level).items():
        cells = [cell for cell in results.cells if (cell["method"], cell["level"]) == (method, own)]
        if results.family_of(method) not in results.main_families or not (curve := _over_steps(cells, fitted)):
            continue
        name = results.label_of(method)
        if own != level.name:
            name += ", all weights" if own == "dense" else f", {count(curve[0][1].weights)} {curve[0][1].unit}"
        lines.append(_line(results, name, styles[method], [(s, p, f"after {count(s)} steps") for s, p in curve]))
    title = f"{results.label}, {percent(level.density)} of the weights ({count(level.weights)})"
    steps = Steps([int(step) for line in lines for step in line.x])
    return Figure(Axis("fitting steps", steps), PSNR, lines, title, is_wide=True) if lines else None


def _over_steps(cells: Sequence[CellRecord], fitted: str) -> list[tuple[int, MeanPoint]]:
    points = [(step, point) for step in steps_of(cells, fitted) for point in points_of(cells, fitted, step)]
    return [(step, point) for step, point in points if point.mean is not None]


def _line(results: DataResults, name: str, style: Style, marks: Sequence[tuple[int, MeanPoint, str]]) -> Line:
    """The means over seeds, within a band from the worst seed to the best where there are several."""
    points = [point for _, point, _ in marks]
    band = None
    if any(len(p.seeds) > 1 for p in points):
        band = Band([p.low for p in points if p.low is not None], [p.high for p in points if p.high is not None])
    return Line(name, style, [x for x, _, _ in marks], [p.mean for p in points],
                [_note(results, point, words) for _, point, words in marks], band)  # fmt: skip


def _published(results: DataResults, drawn: dict[str, Style]) -> list[Line]:
    """Hollow marks of the same colours; they have no line, since most were read off one."""
    by_method: dict[str, list[PublishedPoint]] = {}
    for point in published_for(results.cells)[0] or ():
        by_method.setdefault(point.method, []).append(point)
    return [Line(f"hollow: published ({SHORT})", replace(drawn[method], size=10), [p.weights for p in points],
                 [p.psnr_db for p in points], [_published_note(results, p) for p in points], joined=False, hollow=True,
                 group="published") for method, points in by_method.items() if method in drawn]  # fmt: skip


def _published_note(results: DataResults, point: PublishedPoint) -> str:
    about = "" if point.exact else "about "
    return f"{results.label_of(point.method)}, published\n{count(point.weights)} weights\n{about}{db(point.psnr_db)} dB"


def _note(results: DataResults, point: MeanPoint, words: str) -> str:
    """Everything about a point."""
    seeds = len(point.seeds)
    spread = f" (seeds from {db(point.low)} to {db(point.high)})" if seeds > 1 else ""
    shared = f", and {count(point.shared_numbers)} shared" if point.shared_numbers else ""
    lines = [
        f"{point.label}, {point.level}",
        f"{count(point.weights)} {point.unit} ({percent(point.weights / results.dense_weights)})",
        f"{count(point.numbers)} numbers, {count(point.bits)} bits{shared}",
        *([words] if words else []),
        f"{db(point.mean)} dB, mean of {counted(seeds, 'seed')}{spread}",
        f"{count(point.num_ok)} of {count(point.num_signals)} fits ok",
    ]
    return "\n".join(lines)
