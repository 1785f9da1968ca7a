"""How each method is drawn: a colour, a mark and a dash, the same in every figure. Colours are bound by
report/colours.py."""

from collections.abc import Iterable
from dataclasses import dataclass

from sparsine.report.colours import BAND, SCRATCH

FAMILIES = ("ours", "baseline", "ablation", "other", "linear", "transfer")


@dataclass(frozen=True)
class Style:
    colour: str
    mark: str
    """Name of a mark in plotly; `MATPLOTLIB_MARKS` translates it."""
    dash: str
    """Name of a dash in plotly; `MATPLOTLIB_DASHES` translates it."""
    width: float = 1.6


STYLES = {
    "meta-sparse": Style(BAND, "circle", "solid", 2.6),
    "meta-sparse-saliency": Style("#c78000", "diamond", "solid", 2.6),
    "meta-sparse-connected": Style("#e64980", "star", "solid", 2.2),
    "meta-sparse-connected-late": Style("#a43fbd", "pentagon", "dashdot", 2.2),
    "random-pruning": Style("#e8590c", "square", "dash"),
    "dense-narrow": Style("#1c7ed6", "diamond", "dashdot"),
    "maml-oneshot": Style("#2b9348", "triangle-up", "dash"),
    "maml-imp": Style("#d6336c", "triangle-down", "dashdot"),
    "scratch": Style(SCRATCH, "x", "dot"),
    "pattern": Style("#7c5cf0", "diamond", "dash", 2.2),
    "ticket-rewound": Style("#2f9e44", "square", "dash"),
    "ticket-random": Style("#0c8599", "diamond", "dashdot"),
    "ticket-oneshot": Style("#cf3f2e", "triangle-up", "longdash"),
    "dense-maml": Style("#cd2e2d", "star", "longdash"),
    "shared-layers": Style("#1971c2", "hexagon", "longdash"),
    "modulations": Style("#02a476", "pentagon", "longdash"),
    "coin-16": Style("#a0724a", "cross", "dot"),
    "coin-8": Style("#8a8f00", "hexagon", "dot"),
    "cosines": Style("#7b8288", "square", "longdash"),
    "own-cosines": Style("#6b8299", "square", "dot"),
    "components": Style("#5c7cfa", "triangle-down", "longdash"),
    "bicubic-grid": Style("#b0616f", "triangle-up", "dot"),
}
MATPLOTLIB_MARKS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "triangle-down": "v", "x": "X",
                    "star": "*", "pentagon": "p", "cross": "P", "hexagon": "h"}  # fmt: skip
MATPLOTLIB_DASHES = {"solid": "-", "dash": (0, (5, 2)), "dashdot": (0, (6, 2, 1.2, 2)), "dot": (0, (1.2, 1.8)),
                     "longdash": (0, (9, 3))}  # fmt: skip
_MORE_COLOURS = ("#1098ad", "#ae3ec9", "#5c940d", "#de7302", "#4263eb", "#c03a62", "#087f5b")
_MORE_MARKS = ("square", "triangle-up", "diamond", "pentagon", "triangle-down", "cross", "hexagon", "star")
_MORE_DASHES = ("dash", "dashdot", "longdash", "dot")


def styles_of(methods: Iterable[str]) -> dict[str, Style]:
    """A style for each method. Those that are not known here take theirs from a fixed cycle, by name."""
    names = set(methods)
    unknown = sorted(names - STYLES.keys())
    more = {name: Style(_MORE_COLOURS[i % len(_MORE_COLOURS)], _MORE_MARKS[i % len(_MORE_MARKS)],
                       _MORE_DASHES[i % len(_MORE_DASHES)]) for i, name in enumerate(unknown)}  # fmt: skip
    return {name: STYLES[name] for name in STYLES if name in names} | more


def method_rank(method: str, family: str) -> tuple[int, int, str]:
    """Where a method stands: by family, then as listed above, then by name."""
    families, methods = list(FAMILIES), list(STYLES)
    return (
        families.index(family) if family in families else len(families),
        methods.index(method) if method in methods else len(methods),
        method,
    )
