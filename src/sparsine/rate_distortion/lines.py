"""What figures and page draw: a line for each codec, with its look. Names of marks and dashes are plotly's."""

from dataclasses import dataclass

from sparsine.comparison.looks import Look
from sparsine.evaluation.colours import SCRATCH, ramp_of
from sparsine.rate_distortion.points import Curve, Record, curves
from sparsine.rate_distortion.published import Published, published_for

OTHERS = {"jpeg": Look("#707880", "square", "dash", 1.8), "webp": Look("#0c8599", "diamond", "dashdot", 1.8),
          "avif": Look("#ae3ec9", "cross", "dash", 1.8), "jpeg_xl": Look("#d6336c", "x", "dashdot", 1.8)}  # fmt: skip
DENSE = (Look("#a0724a", "cross", "dot"), Look("#82912a", "hexagon", "dot"), Look("#4e9160", "x", "dot"))
PUBLISHED = {
    "COIN": Look("#a0724a", "cross", "dot", 1.0),
    "COIN++": Look("#02a476", "pentagon", "dot", 1.0),
    "RECOMBINER": Look("#1c7ed6", "triangle-up", "dot", 1.0),
    "C3": Look("#e8590c", "star", "dot", 1.0),
}
OTHER_PUBLISHED = Look(SCRATCH, "circle", "dot", 1.0)
OUR_MARKS = ("circle", "star", "triangle-up", "pentagon", "triangle-down", "hexagon")


@dataclass(frozen=True)
class Line:
    curve: Curve
    look: Look


def lines_of(record: Record) -> list[Line]:
    """Ours first, from dense to sparse."""
    found = curves(record)
    ours = [curve for curve in found if curve.codec == "sparsine"]
    colours = ramp_of(len(ours))
    looks = {curve.key: Look(colours[i], OUR_MARKS[i % len(OUR_MARKS)], "solid", 2.4) for i, curve in enumerate(ours)}
    dense = [curve for curve in found if curve.codec == "coin"]
    looks |= {curve.key: DENSE[i % len(DENSE)] for i, curve in enumerate(dense)}
    return [Line(curve, looks[curve.key] if curve.key in looks else OTHERS[curve.key]) for curve in found]


def published_lines(record: Record) -> list[tuple[Published, Look]]:
    """Empty where no published point may stand on the same axes."""
    return [(codec, PUBLISHED.get(codec.name, OTHER_PUBLISHED)) for codec in published_for(record)]
