"""The cells of one data set, ready to be drawn: methods and levels in the order in which a reader meets them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from sparsine.lazy import cached_property
from sparsine.measure.comparison.config import TUNED
from sparsine.report.comparison.points import CellRecord, MeanPoint, Value, points_of
from sparsine.report.styles import method_rank

OURS = "meta-sparse"
PRUNED = ("ours", "baseline", "ablation")
"""Families whose levels are levels of sparsity of one field; the others have levels of their own."""
NEAR = 1.5
"""A method without a level of that name stands beside the others when its count is at most this many times off."""


NEAR_LEVELS = (0.1, 0.04)
"""Densities whose nearest levels are looked at in figures that show a single one."""
APART = ("ablation", "transfer")
"""Families with a figure of their own."""


@dataclass(frozen=True)
class SparsityLevel:
    """A level of sparsity by the weights that Meta-SparseINR keeps there (or else the widest field pruned so)."""

    name: str
    weights: int
    density: float
    """Of the weights of the dense field."""


@dataclass(frozen=True)
class DataResults:
    """One data set of a comparison."""

    label: str
    cells: tuple[CellRecord, ...]

    @cached_property
    def dense_weights(self) -> int:
        """Of the field that is pruned, before anything was removed; where there is no field, the most numbers."""
        pruned = _first_family([cell for cell in self.cells if cell["field"]], *PRUNED)
        sizes = [num_weights(cell["field"]["sizes"]) for cell in pruned]
        return max(sizes, default=max(cell["weights"] for cell in self.cells))

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Ours, then baselines, ablations, others, starts from other data."""
        families = {cell["method"]: cell["family"] for cell in self.cells}
        return tuple(sorted(families, key=lambda method: method_rank(method, families[method])))

    @cached_property
    def levels(self) -> tuple[SparsityLevel, ...]:
        """The levels of sparsity, densest first."""
        weights: dict[str, int] = {}
        for family in PRUNED:
            for point in self.points():
                if point.family == family and point.method != "scratch":
                    weights.setdefault(point.level, point.weights)
        if not weights:
            weights = {point.level: point.weights for point in self.points()}
        order = sorted(weights.items(), key=lambda item: -item[1])
        return tuple(SparsityLevel(name, number, number / self.dense_weights) for name, number in order)

    @cached_property
    def main_families(self) -> tuple[str, ...]:
        """Every family but those with a figure of their own; a user's may have any name."""
        return tuple(dict.fromkeys(family for m in self.methods if (family := self.family_of(m)) not in APART))

    @cached_property
    def shown_levels(self) -> tuple[SparsityLevel, ...]:
        """The levels nearest to 10 % and to 4 %; one, where they are the same."""
        found = [self.level_near(density) for density in NEAR_LEVELS]
        return tuple(dict.fromkeys(level for level in found if level))

    def points(self, protocol: str = "adam", step: int | None = None, value: Value = "psnr_db") -> list[MeanPoint]:
        """By method, each from many weights to few."""
        return self._last if (protocol, step, value) == ("adam", None, "psnr_db") else self._made(protocol, step, value)

    @cached_property
    def _last(self) -> list[MeanPoint]:
        """What nearly every table and figure asks for."""
        return self._made("adam", None, "psnr_db")

    def _made(self, protocol: str, step: int | None, value: Value) -> list[MeanPoint]:
        found = points_of(self.cells, protocol, step, value)
        return sorted(found, key=lambda p: (self.methods.index(p.method), -p.weights, -p.bits, p.round or 0, p.level))

    @cached_property
    def is_tuned(self) -> bool:
        """Whether something was measured at its own best settings."""
        return any(TUNED in cell["protocols"] for cell in self.cells)

    def label_of(self, method: str) -> str:
        return next(str(cell["label"]) for cell in self.cells if cell["method"] == method)

    def family_of(self, method: str) -> str:
        return next(str(cell["family"]) for cell in self.cells if cell["method"] == method)

    def curve(self, method: str, points: Sequence[MeanPoint] | None = None) -> list[MeanPoint]:
        """The points of one method that have a mean."""
        return [p for p in (self.points() if points is None else points) if p.method == method and p.mean is not None]

    def level_near(self, density: float, among: Iterable[str] | None = None) -> SparsityLevel | None:
        """The sparse level whose density is nearest, as a ratio; the dense one only where there is no other."""
        names = None if among is None else set(among)
        levels = [level for level in self.levels if level.weights > 0 and (names is None or level.name in names)]
        sparse = [level for level in levels if level.density < 1]
        return min(sparse or levels, key=lambda level: abs(log(level.density / density)), default=None)

    def beside(self, level: SparsityLevel) -> dict[str, str]:
        """For each method, the name of its level that may stand beside `level`: of the same name, or of about as many
        weights; methods with a dense level only are there as a reference."""
        found: dict[str, str] = {}
        for method in self.methods:
            own = [p for p in self.points() if p.method == method]
            if any(p.level == level.name for p in own):
                found[method] = level.name
            elif {p.level for p in own} == {"dense"}:
                found[method] = "dense"
            elif own[0].family not in PRUNED:
                nearest = min(own, key=lambda p: abs(log(max(p.weights, 1) / max(level.weights, 1))))
                if 1 / NEAR <= nearest.weights / max(level.weights, 1) <= NEAR:
                    found[method] = nearest.level
        return found

    def cell(self, method: str, level: str, seed: int) -> CellRecord | None:
        return next((c for c in self.cells if (c["method"], c["level"], c["seed"]) == (method, level, seed)), None)

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({cell["seed"] for cell in self.cells}))


def results_of(cells: Iterable[CellRecord]) -> list[DataResults]:
    """One results for each data set, by label."""
    by_label: dict[str, list[CellRecord]] = {}
    for cell in cells:
        by_label.setdefault(cell["data"]["label"], []).append(cell)
    return [DataResults(label, tuple(by_label[label])) for label in sorted(by_label)]


def num_weights(sizes: Sequence[int]) -> int:
    """Of a dense network with these layer sizes, biases not counted."""
    return sum(a * b for a, b in pairwise(sizes))


def _first_family(cells: Sequence[CellRecord], *families: str) -> Sequence[CellRecord]:
    for family in families:
        if found := [cell for cell in cells if cell["family"] == family]:
            return found
    return cells
