"""Where values stand on an axis and what is written below them, the same on paper and on a screen."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, exp, floor, log, log10

from sparsine.evenly import evenly
from sparsine.report.wording import count

Ticks = list[tuple[float, str]]
"""Positions with their labels."""
FINE: tuple[Iterable[int], ...] = (range(1, 10), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
"""First digits of round numbers, from many to few."""
COARSE = FINE[2:]
APART = 0.045
"""Of the length of an axis of steps, between two labels."""


class Scale(ABC):
    """How an axis is divided."""

    is_log: bool = False
    few: int = 6
    """Labels that have room on paper."""
    many: int = 9
    """Labels that have room on a screen."""

    def position(self, value: float) -> float:
        """Where a value stands."""
        return value

    @abstractmethod
    def ticks(self, low: float, high: float, most: int) -> Ticks:
        """Between two positions, at most so many (where they can be chosen)."""


class Counts(Scale):
    """Weights, numbers or bits: 500, 20 k, 3 M."""

    is_log = True

    def ticks(self, low: float, high: float, most: int) -> Ticks:
        return [(tick, short_count(tick)) for tick in round_numbers(low, high, most, COARSE) if tick >= 1]


class Fractions(Scale):
    """Of any size, as bits per pixel and frequencies are: 0.1, 0.2, 0.5."""

    is_log, few = True, 7

    def ticks(self, low: float, high: float, most: int) -> Ticks:
        found = round_numbers(low, high, most) or [float(f"{low:.2g}")]
        return [(tick, f"{tick:g}") for tick in found]


@dataclass(frozen=True)
class Steps(Scale):
    """Those after which something was measured: logarithmic, and yet with a place for 0."""

    measured: Sequence[int]

    def position(self, value: float) -> float:
        return log10(1 + value)

    def ticks(self, low: float, high: float, most: int) -> Ticks:
        return [(self.position(step), count(step)) for step in spaced_steps(sorted(set(self.measured)))]


@dataclass(frozen=True)
class Chosen(Scale):
    """Some values of their own, each with its label."""

    labels: dict[float, str]
    is_log: bool = False
    few: int = 5
    many: int = 6

    def ticks(self, low: float, high: float, most: int) -> Ticks:
        return [(value, self.labels[value]) for value in evenly(sorted(self.labels), most)]


def round_numbers(low: float, high: float, most: int, digits: Sequence[Iterable[int]] = FINE) -> list[float]:
    """Round numbers between two positive ones: 0.1, 0.2, 0.5, 1, ..., or fewer where those are too many."""
    decades = range(floor(log10(low)) - 1, ceil(log10(high)) + 1)
    for leading in digits:
        inside = [tick for decade in decades for digit in leading if low <= (tick := digit * 10.0**decade) <= high]
        if len(inside) <= most:
            break
    return inside


def crossing(low: tuple[float, float], high: tuple[float, float], y: float) -> float:
    """Where the line from `low` to `high`, straight over log(x), reaches the height `y` between theirs; each (x, y)."""
    share = (y - low[1]) / (high[1] - low[1])
    return exp((1 - share) * log(low[0]) + share * log(high[0]))


def spaced_steps(steps: Sequence[int]) -> list[int]:
    """Of rising steps, those whose labels do not touch."""
    kept = list(steps[:1])
    for step in steps[1:]:
        if log10((1 + step) / (1 + kept[-1])) >= APART * log10(1 + steps[-1]):
            kept.append(step)
    return kept


def short_count(number: float) -> str:
    """500, 20 k, 3 M: as much as has room below an axis."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:g} {unit}"
    return f"{number:g}"
