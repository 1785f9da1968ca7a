"""The interactive figures of the page, as plain plotly descriptions like those of report/run/charts.py."""

from html import escape
from math import log10, prod
from typing import Any, Literal

from sparsine.counted import counted
from sparsine.report.rate_distortion.figures import QUALITIES, Quality, bits_ticks
from sparsine.report.rate_distortion.lines import Line, lines_of, published_lines
from sparsine.report.rate_distortion.points import MANY, Point, Record
from sparsine.report.rate_distortion.published import Published
from sparsine.report.styles import Style
from sparsine.report.wording import count, db

Figure = dict[str, Any]
Counting = Literal["apart", "shared", "many"]
"""Whether the start is counted: apart, shared out over the signals of the record, or over MANY."""


def chart(record: Record, quality: Quality, counting: Counting) -> Figure | None:
    """Quality over bits per pixel, a line for each codec; None without a single point."""
    traces = [trace for line in lines_of(record) if (trace := _line(record, line, quality, counting))]
    if not traces:
        return None
    if quality == "psnr_db":
        traces += [_published(codec, style) for codec, style in published_lines(record)]
    xs = [x for trace in traces for x in trace["x"]]
    ticks = bits_ticks(0.9 * min(xs), 1.1 * max(xs), most=9)
    return {"data": traces, "layout": {
        "xaxis": {"title": {"text": "bits per pixel"}, "type": "log", "tickvals": ticks,
                  "ticktext": [f"{tick:g}" for tick in ticks], "range": [log10(0.9 * min(xs)), log10(1.1 * max(xs))]},
        "yaxis": {"title": {"text": QUALITIES[quality]}}, "hovermode": "closest", "legend": "beside",
    }}  # fmt: skip


def start_bits(record: Record, line: Line, counting: Counting) -> float:
    """Bits per pixel that the start adds."""
    if line.curve.codec != "sparsine" or counting == "apart":
        return 0.0
    signals = len(record["signals"])
    pixels = sum(prod(signal["shape"]) for signal in record["signals"]) / signals
    size = record["starts"][int(line.curve.key.partition("-")[2])]["file_bytes"]
    return float(8 * size / pixels / (signals if counting == "shared" else MANY))


def _line(record: Record, line: Line, quality: Quality, counting: Counting) -> Figure | None:
    points = [p for p in line.curve.points if getattr(p, quality) is not None]
    if not points:
        return None
    more = start_bits(record, line, counting)
    xs = [p.bits_per_pixel + more for p in points]
    style = line.style
    return {"type": "scatter", "mode": "lines+markers", "name": escape(line.curve.label),
            "x": [round(x, 5) for x in xs], "y": [round(getattr(p, quality), 5) for p in points],
            "line": {"color": style.colour, "width": style.width, "dash": style.dash},
            "marker": {"size": 8, "symbol": style.mark, "color": style.colour},
            "text": [_told(line, p, x) for p, x in zip(points, xs, strict=True)],
            "hovertemplate": "%{text}<extra></extra>"}  # fmt: skip


def _published(codec: Published, style: Style) -> Figure:
    return {"type": "scatter", "mode": "lines+markers", "name": f"{escape(codec.name)}, published",
            "x": list(codec.bits_per_pixel), "y": list(codec.psnr_db),
            "line": {"color": style.colour, "width": style.width, "dash": style.dash},
            "marker": {"size": 9, "symbol": f"{style.mark}-open", "color": style.colour},
            "text": [f"<b>{escape(codec.name)}</b>, {escape(codec.arxiv)}<br>{bits:.3f} bits per pixel<br>{db(psnr)} dB"
                     for bits, psnr in zip(codec.bits_per_pixel, codec.psnr_db, strict=True)],
            "hovertemplate": "%{text}<extra></extra>"}  # fmt: skip


def _told(line: Line, point: Point, bits: float) -> str:
    """Everything about a point."""
    similar = "" if point.ssim is None else f", SSIM {point.ssim:.3f}"
    return "<br>".join([
        f"<b>{escape(line.curve.label)}</b>, {escape(point.setting)}",
        f"{count(round(point.num_bytes))} bytes, {bits:.3f} bits per pixel",
        f"{db(point.psnr_db)} dB{similar}",
        f"encode {point.encode_seconds:.3g} s, decode {point.decode_seconds:.3g} s",
        f"mean of {counted(point.num_signals, 'signal')}" if not point.lacks else f"mean of some signals{point.lacks}",
    ])  # fmt: skip
