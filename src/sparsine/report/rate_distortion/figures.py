"""Quality over bits per pixel, a line for each codec."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Literal

from sparsine.counted import counted
from sparsine.report.axes import Fractions
from sparsine.report.figure import Axis, Figure, Line
from sparsine.report.matplotlib_figures import SUFFIXES, Layout, save
from sparsine.report.rate_distortion.points import MANY, RateCurve, RatePoint, Record, curves
from sparsine.report.rate_distortion.published import Published, published_for
from sparsine.report.styles import DENSE, OTHER_CODECS, OTHER_PUBLISHED, OUR_MARKS, PUBLISHED, Style, ramp_of
from sparsine.report.wording import count, db

Quality = Literal["psnr_db", "ssim"]
QUALITIES: dict[Quality, str] = {"psnr_db": "PSNR (dB)", "ssim": "SSIM"}
Counting = Literal["apart", "shared", "many"]
"""Whether the start is counted: apart, shared out over the signals of the record, or over MANY."""
NAME = "rate-distortion"
ROOM = 0.1
"""Beyond the smallest and the largest file."""


def write_figures(records: Sequence[Record], where: Path) -> list[Path]:
    """One figure as PNG and SVG: a column for each record, PSNR above SSIM.

    Raises:
        WorkFailed: a file cannot be written.
    """
    panels = [_panel(record, quality) for quality in QUALITIES for record in records]
    layout = Layout(panel=(5.0, 3.7), edge=(0.6, 0.6), most_columns=len(records), least_width=7.1, margins=(0.04, 0.06),
                    most_heights=None)  # fmt: skip
    paths = [where / f"{NAME}{suffix}" for suffix in SUFFIXES]
    for path in paths:
        save(panels, path, layout)
    return paths


def quality_figure(record: Record, quality: Quality, counting: Counting = "apart") -> Figure | None:
    """None without a single point."""
    lines = [line for curve, style in styled(record) if (line := _line(record, curve, style, quality, counting))]
    if not lines:
        return None
    if quality == "psnr_db":
        lines += [_published(codec) for codec in published_for(record)]
    xs = [x for line in lines for x in line.x]
    ends = ((1 - ROOM) * min(xs), (1 + ROOM) * max(xs))
    title = "bits per pixel" + (", the start not counted" if counting == "apart" else "")
    return Figure(Axis(title, Fractions(), ends), Axis(QUALITIES[quality]), lines, str(record["data"]["label"]),
                  is_wide=True)  # fmt: skip


def styled(record: Record) -> list[tuple[RateCurve, Style]]:
    """Ours first, from dense to sparse."""
    found = curves(record)
    ours = [curve for curve in found if curve.codec == "sparsine"]
    colours = ramp_of(len(ours))
    styles = {curve.key: Style(colours[i], OUR_MARKS[i % len(OUR_MARKS)], "solid", 2.4) for i, curve in enumerate(ours)}
    dense = [curve for curve in found if curve.codec == "coin"]
    styles |= {curve.key: DENSE[i % len(DENSE)] for i, curve in enumerate(dense)}
    return [(curve, styles[curve.key] if curve.key in styles else OTHER_CODECS[curve.key]) for curve in found]


def start_bits(record: Record, curve: RateCurve, counting: Counting) -> float:
    """Bits per pixel that the start adds."""
    if curve.codec != "sparsine" or counting == "apart":
        return 0.0
    signals = len(record["signals"])
    pixels = sum(prod(signal["shape"]) for signal in record["signals"]) / signals
    size = record["starts"][int(curve.key.partition("-")[2])]["file_bytes"]
    return float(8 * size / pixels / (signals if counting == "shared" else MANY))


def _panel(record: Record, quality: Quality) -> Figure | None:
    """As it stands among others: what its axis is stands below all, what record it is above all."""
    figure = quality_figure(record, quality)
    if figure is None:
        return None
    first, *_, last = QUALITIES
    return replace(figure, title=figure.title if quality == first else "",
                   x=figure.x if quality == last else replace(figure.x, title=""))  # fmt: skip


def _line(record: Record, curve: RateCurve, style: Style, quality: Quality, counting: Counting) -> Line | None:
    points = [point for point in curve.points if getattr(point, quality) is not None]
    if not points:
        return None
    more = start_bits(record, curve, counting)
    xs = [point.bits_per_pixel + more for point in points]
    return Line(curve.label, style, xs, [getattr(point, quality) for point in points],
                [_note(curve, point, x) for point, x in zip(points, xs, strict=True)])  # fmt: skip


def _published(codec: Published) -> Line:
    style = replace(PUBLISHED.get(codec.name, OTHER_PUBLISHED), size=9)
    notes = [f"{codec.name}, {codec.arxiv}\n{bits:.3f} bits per pixel\n{db(psnr)} dB"
             for bits, psnr in zip(codec.bits_per_pixel, codec.psnr_db, strict=True)]  # fmt: skip
    return Line(f"{codec.name}, published", style, codec.bits_per_pixel, codec.psnr_db, notes, hollow=True)


def _note(curve: RateCurve, point: RatePoint, bits: float) -> str:
    """Everything about a point."""
    similar = "" if point.ssim is None else f", SSIM {point.ssim:.3f}"
    return "\n".join([
        f"{curve.label}, {point.setting}",
        f"{count(round(point.num_bytes))} bytes, {bits:.3f} bits per pixel",
        f"{db(point.psnr_db)} dB{similar}",
        f"encode {point.encode_seconds:.3g} s, decode {point.decode_seconds:.3g} s",
        f"mean of {counted(point.num_signals, 'signal')}" if not point.lacks else f"mean of some signals{point.lacks}",
    ])  # fmt: skip
