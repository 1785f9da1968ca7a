"""What figures and page draw: a line for each codec, with its style. Names of marks and dashes are plotly's."""

from dataclasses import dataclass

from sparsine.report.colours import SCRATCH, ramp_of
from sparsine.report.rate_distortion.points import Curve, Record, curves
from sparsine.report.rate_distortion.published import Published, published_for
from sparsine.report.styles import Style

OTHERS = {"jpeg": Style("#707880", "square", "dash", 1.8), "webp": Style("#0c8599", "diamond", "dashdot", 1.8),
          "avif": Style("#ae3ec9", "cross", "dash", 1.8), "jpeg_xl": Style("#d6336c", "x", "dashdot", 1.8)}  # fmt: skip
DENSE = (Style("#a0724a", "cross", "dot"), Style("#82912a", "hexagon", "dot"), Style("#4e9160", "x", "dot"))
PUBLISHED = {
    "COIN": Style("#a0724a", "cross", "dot", 1.0),
    "COIN++": Style("#02a476", "pentagon", "dot", 1.0),
    "RECOMBINER": Style("#1c7ed6", "triangle-up", "dot", 1.0),
    "C3": Style("#e8590c", "star", "dot", 1.0),
}
OTHER_PUBLISHED = Style(SCRATCH, "circle", "dot", 1.0)
OUR_MARKS = ("circle", "star", "triangle-up", "pentagon", "triangle-down", "hexagon")


@dataclass(frozen=True)
class Line:
    curve: Curve
    style: Style


def lines_of(record: Record) -> list[Line]:
    """Ours first, from dense to sparse."""
    found = curves(record)
    ours = [curve for curve in found if curve.codec == "sparsine"]
    colours = ramp_of(len(ours))
    styles = {curve.key: Style(colours[i], OUR_MARKS[i % len(OUR_MARKS)], "solid", 2.4) for i, curve in enumerate(ours)}
    dense = [curve for curve in found if curve.codec == "coin"]
    styles |= {curve.key: DENSE[i % len(DENSE)] for i, curve in enumerate(dense)}
    return [Line(curve, styles[curve.key] if curve.key in styles else OTHERS[curve.key]) for curve in found]


def published_lines(record: Record) -> list[tuple[Published, Style]]:
    """Empty where no published point may stand on the same axes."""
    return [(codec, PUBLISHED.get(codec.name, OTHER_PUBLISHED)) for codec in published_for(record)]
