"""A figure as a value: what is shown, whoever draws it. `plotly_figures` draws it for a page, `matplotlib_figures` for
a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from sparsine.report.axes import Scale
from sparsine.report.styles import Style


@dataclass(frozen=True)
class Axis:
    title: str
    scale: Scale | None = None
    """None is an even one, whose labels the drawer chooses."""
    ends: tuple[float, float] | None = None
    """Values from which to which it is shown at first; None is all of them."""


PSNR = Axis("PSNR (dB)")


@dataclass(frozen=True)
class Band:
    """What lies around a line: the spread of seeds, percentiles of signals."""

    lows: Sequence[float]
    highs: Sequence[float]
    """Beside the marks of the line; NaN and infinite ones are left out."""
    name: str = ""
    """In the legend; none has no entry there, and comes and goes with its line."""
    opacity: float = 0.16


@dataclass(frozen=True)
class Line:
    """Marks from left to right."""

    name: str
    """In the legend."""
    style: Style
    x: Sequence[float]
    y: Sequence[float | None]
    """None is a gap; what is infinite has no place on an axis."""
    notes: Sequence[str] | str = ()
    """Everything about each mark, `\\n` between lines, or one sentence with {x} and {y} in it."""
    band: Band | None = None
    joined: bool = True
    marked: bool = True
    hollow: bool = False
    """Of marks that others published."""
    colours: Sequence[str] = ()
    """Of single marks; empty is that of the style."""
    sizes: Sequence[float] = ()
    """Of single marks on a screen, in pixels; empty is that of the style."""
    group: str = ""
    """Lines of one group come and go together, and have one entry in the legend."""
    shown: bool = True
    """At first; else the reader asks for it in the legend, and it is on no paper."""


@dataclass(frozen=True)
class Reference:
    """A height that others are compared with, from one end to the other, and where it was measured."""

    name: str
    style: Style
    y: float
    x: float
    note: str = ""


@dataclass(frozen=True)
class Figure:
    x: Axis
    y: Axis
    lines: Sequence[Line]
    """The first is drawn above the others; the legend begins with it."""
    title: str = ""
    references: Sequence[Reference] = ()
    breaks: Sequence[float] = ()
    """Where lines have a right to jump."""
    is_wide: bool = False
    """Whether its legend is so long that it stands beside it."""

    @property
    def is_endless(self) -> bool:
        """Whether it has a mark at infinity: a perfect fit."""
        return any(inf in line.y for line in self.lines) or any(reference.y == inf for reference in self.references)
