"""What the lines of the figures are, whoever draws them: one series for each method of a data set."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sparsine.report.comparison.points import Cell, Count, Point, points_of, steps_of
from sparsine.report.comparison.published import PublishedPoint, published_for
from sparsine.report.comparison.results import Level, View
from sparsine.report.styles import Style
from sparsine.report.wording import count

APART = ("ablation", "transfer")
"""Families with a figure of their own."""
NEAR_LEVELS = (0.1, 0.04)
"""Densities whose nearest levels are looked at in figures that show a single one."""


@dataclass(frozen=True)
class Series:
    """One line: positions from left to right, each with the point that stands there."""

    method: str
    name: str
    style: Style
    x: tuple[int, ...]
    points: tuple[Point, ...]

    @property
    def means(self) -> list[float]:
        return [p.mean for p in self.points if p.mean is not None]

    @property
    def lows(self) -> list[float]:
        return [p.low for p in self.points if p.low is not None]

    @property
    def highs(self) -> list[float]:
        return [p.high for p in self.points if p.high is not None]

    @property
    def has_spread(self) -> bool:
        """Whether some point has more than one seed."""
        return any(len(p.seeds) > 1 for p in self.points)


def main_families(view: View) -> list[str]:
    """Every family but those with a figure of their own; a user's may have any name."""
    return [family for family in {view.family_of(method) for method in view.methods} if family not in APART]


def count_series(
    view: View, what: Count, families: Iterable[str], styles: dict[str, Style], fitted: str = "adam"
) -> list[Series]:
    """PSNR after the last step of a protocol over a count, for the methods of some families."""
    wanted, all_points = set(families), view.points(fitted)
    found = []
    for method in view.methods:
        points = sorted((p for p in view.curve(method, all_points) if p.count(what) > 0), key=lambda p: p.count(what))
        if points and view.family_of(method) in wanted:
            name = view.label_of(method)
            if what != "weights" and (shared := max(p.shared_numbers for p in points)):
                name += f", and {count(shared)} shared"
            found.append(Series(method, name, styles[method], tuple(p.count(what) for p in points), tuple(points)))
    return found


def step_series(
    view: View, level: Level, families: Iterable[str], styles: dict[str, Style], fitted: str = "adam"
) -> list[Series]:
    """PSNR over the steps of a protocol, for the methods that have this level or may stand beside it."""
    wanted = set(families)
    found = []
    for method, own in view.beside(level).items():
        cells = [cell for cell in view.cells if (cell["method"], cell["level"]) == (method, own)]
        if view.family_of(method) not in wanted or not (curve := _over_steps(cells, fitted)):
            continue
        name = view.label_of(method)
        if own != level.name:
            name += ", all weights" if own == "dense" else f", {count(curve[0][1].weights)} {curve[0][1].unit}"
        found.append(Series(method, name, styles[method], tuple(s for s, _ in curve), tuple(p for _, p in curve)))
    return found


def published_series(view: View) -> dict[str, list[PublishedPoint]]:
    """Published points by method, where they may stand on the same axes; else none."""
    by_method: dict[str, list[PublishedPoint]] = {}
    for point in published_for(view.cells)[0] or ():
        by_method.setdefault(point.method, []).append(point)
    return by_method


def levels_to_show(view: View) -> list[Level]:
    """The levels nearest to 10 % and to 4 %; one, where they are the same."""
    found = [view.level_near(density) for density in NEAR_LEVELS]
    return list(dict.fromkeys(level for level in found if level))


def _over_steps(cells: Sequence[Cell], fitted: str) -> list[tuple[int, Point]]:
    points = [(step, point) for step in steps_of(cells, fitted) for point in points_of(cells, fitted, step)]
    return [(step, point) for step, point in points if point.mean is not None]
