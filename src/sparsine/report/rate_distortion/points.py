"""Means over signals: what tables and figures show."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, prod
from typing import Any

import numpy as np

from sparsine.measure.rate_distortion.codecs.pillow_codecs import NAMES
from sparsine.psnr import psnr_of
from sparsine.report.axes import crossing
from sparsine.report.wording import count, lacking, percent

Record = dict[str, Any]
MANY = 10_000
"""Signals of a larger collection, over which a start is shared out as well."""


@dataclass(frozen=True)
class RatePoint:
    """One codec at one setting: means over the signals that it could code."""

    setting: str
    """quality 80."""
    num_bytes: float
    bits_per_pixel: float
    psnr_db: float
    ssim: float | None
    encode_seconds: float
    decode_seconds: float
    num_signals: int
    num_asked: int
    """Signals of the record."""

    @property
    def lacks(self) -> str:
        """Said behind means that some signals are missing from: " (3 of 4)"."""
        return lacking(self.num_signals, self.num_asked)


@dataclass(frozen=True)
class RateCurve:
    """One codec at all of its settings, fewest bytes first."""

    key: str
    """jpeg, webp, coin-100, or sparsine-0 for the first start."""
    label: str
    points: tuple[RatePoint, ...]

    @property
    def codec(self) -> str:
        return self.key.partition("-")[0]


def point(record: Record, row: dict[str, Any], setting: str) -> RatePoint | None:
    """None where no signal has a file."""
    fine = [i for i, value in enumerate(row["bytes"]) if value is not None]
    if not fine:
        return None
    pixels = [prod(record["signals"][i]["shape"]) for i in fine]
    sizes = [row["bytes"][i] for i in fine]
    similar = [row["ssim"][i] for i in fine if row["ssim"][i] is not None]

    def mean(name: str) -> float:
        return float(np.mean([row[name][i] for i in fine]))

    psnr = [found for i in fine if (found := psnr_of(row["psnr_db"][i])) is not None]
    bits = float(np.mean([8 * size / n for size, n in zip(sizes, pixels, strict=True)]))
    return RatePoint(setting, float(np.mean(sizes)), bits, float(np.mean(psnr)),
                 float(np.mean(similar)) if similar else None, mean("encode_seconds"), mean("decode_seconds"),
                 len(fine), len(row["bytes"]))  # fmt: skip


def names_of(record: Record) -> dict[str, str]:
    """The codecs beside ours, by what the rows call them."""
    there = {row["codec"] for row in record["rows"]}
    return {name: label for name, label in NAMES.items() if name in there}


def curves(record: Record) -> list[RateCurve]:
    """Our starts from dense to sparse, then other codecs and dense fields."""
    order = sorted(range(len(record["starts"])), key=lambda i: -record["starts"][i]["weights"])
    ours = [_curve(record, f"sparsine-{i}", start_label(record, i), {"codec": "sparsine", "start": i}) for i in order]
    pillow = [_curve(record, name, label, {"codec": name}) for name, label in names_of(record).items()]
    steps = sorted({row["steps"] for row in record["rows"] if row["codec"] == "coin"})
    coin = [_curve(record, f"coin-{n}", f"dense field, float16, {count(n)} steps", {"codec": "coin", "steps": n})
            for n in steps]  # fmt: skip
    return [curve for curve in (*ours, *pillow, *coin) if curve.points]


def start_label(record: Record, number: int) -> str:
    """sparsine, 4.4 % of the weights; with the start's own name where densities do not tell starts apart."""
    density = percent(record["starts"][number]["density"])
    alike = sum(percent(start["density"]) == density for start in record["starts"])
    return f"sparsine, {density} of the weights" + (f" ({record['starts'][number]['name']})" if alike > 1 else "")


def ours_at(record: Record, start: int, quality: int) -> dict[str, Any]:
    """The row of our codes."""
    return next(row for row in record["rows"] if (row["codec"], row.get("start"), row.get("quality"))
                == ("sparsine", start, quality))  # fmt: skip


def beside(record: Record, codec: str, start: int, quality: int) -> dict[str, Any]:
    """The row of another codec that was given as many bytes."""
    return next(row for row in record["rows"] if (row["codec"], row.get("start"), row.get("beside_quality"))
                == (codec, start, quality))  # fmt: skip


def at_same_bytes(record: Record, codec: str, start: int, quality: int) -> tuple[RatePoint | None, str]:
    """What another codec makes of as many bytes as our codes have. Means over some of the signals would compare unlike
    with unlike: where it has no file for some of those that we have a code of, there is no point, but for how many it
    has one: " (3 of 4)"."""
    ours, theirs = ours_at(record, start, quality), point(record, beside(record, codec, start, quality), "")
    coded = sum(value is not None for value in ours["bytes"])
    if theirs is None or theirs.num_signals == coded:
        return theirs, ""
    return None, lacking(theirs.num_signals, coded)


def bytes_for(curve: RateCurve | None, psnr_db: float) -> float | None:
    """Bytes at which a codec's mean curve has this PSNR, by straight lines of log(bytes) over PSNR; None beyond its
    ends."""
    points: Sequence[RatePoint] = curve.points if curve else ()
    for low, high in pairwise(points):
        if low.psnr_db <= psnr_db <= high.psnr_db < inf and low.psnr_db < high.psnr_db:
            return crossing((low.num_bytes, low.psnr_db), (high.num_bytes, high.psnr_db), psnr_db)
    return None


def _curve(record: Record, key: str, label: str, having: dict[str, Any]) -> RateCurve:
    rows = [row for row in record["rows"] if having.items() <= row.items() and "beside_quality" not in row]
    points = [found for row in rows if (found := point(record, row, _setting(row)))]
    return RateCurve(key, label, tuple(sorted(points, key=lambda p: p.num_bytes)))


def _setting(row: dict[str, Any]) -> str:
    return f"width {row['width']}" if "width" in row else f"quality {row['quality']}"
