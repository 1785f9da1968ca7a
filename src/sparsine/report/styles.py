"""How everything is drawn: a colour, a mark and a dash, the same in every figure.

Every line and mark stands out at least 3:1 from the light and from the dark page (WCAG 2.2, 1.4.11): its luminance lies
between 0.15 and 0.28. tests/report/test_styles.py holds all of them to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

BAND, SCRATCH = "#744ded", "#868e96"
INK, QUIET, WHITE, MISSING = "#1d2126", "#636b74", "#ffffff", "#eef0f2"
"""Of documents: letters, letters that stand back, paper, and what is not there."""
_RAMP = np.array([[0x3B, 0x6F, 0xE0], [0x8A, 0x4F, 0xD3], [0xD6, 0x45, 0x8A], [0xE0, 0x71, 0x00]])
"""Of starts, from dense (blue) to sparse (orange)."""
FAMILIES = ("ours", "baseline", "ablation", "other", "linear", "transfer")


@dataclass(frozen=True)
class Style:
    colour: str
    mark: str = "circle"
    """Name of a mark in plotly; `MATPLOTLIB_MARKS` translates it."""
    dash: str = "solid"
    """Name of a dash in plotly; `MATPLOTLIB_DASHES` translates it."""
    width: float = 1.6
    size: float = 8
    """Of marks on a screen, in pixels."""


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
OTHER_CODECS = {"jpeg": Style("#707880", "square", "dash", 1.8), "webp": Style("#0c8599", "diamond", "dashdot", 1.8),
                "avif": Style("#ae3ec9", "cross", "dash", 1.8),
                "jpeg_xl": Style("#d6336c", "x", "dashdot", 1.8)}  # fmt: skip
DENSE = (Style("#a0724a", "cross", "dot"), Style("#82912a", "hexagon", "dot"), Style("#4e9160", "x", "dot"))
PUBLISHED = {
    "COIN": Style("#a0724a", "cross", "dot", 1.0),
    "COIN++": Style("#02a476", "pentagon", "dot", 1.0),
    "RECOMBINER": Style("#1c7ed6", "triangle-up", "dot", 1.0),
    "C3": Style("#e8590c", "star", "dot", 1.0),
}
OTHER_PUBLISHED = Style(SCRATCH, "circle", "dot", 1.0)
OUR_MARKS = ("circle", "star", "triangle-up", "pentagon", "triangle-down", "hexagon")
"""Of our starts, from dense to sparse."""
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


def ramp(fraction: float) -> str:
    """The colour at `fraction` of the way from the densest start to the sparsest, as #rrggbb."""
    stops = np.linspace(0.0, 1.0, len(_RAMP))
    return "#" + "".join(f"{round(float(np.interp(fraction, stops, channel))):02x}" for channel in _RAMP.T)


def ramp_of(number: int) -> list[str]:
    """One colour for each of `number` starts, densest first."""
    return [ramp(i / max(number - 1, 1)) for i in range(number)]


def faint(colour: str, opacity: float) -> str:
    """#rrggbb -> rgba(...), which plotly wants for a see-through fill."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
