"""A collection of codes in numbers."""

from collections.abc import Sequence
from math import isnan, nan
from typing import Any

from sparsine.codec.coded import CodedSignal


def summarise(coded: Sequence[CodedSignal], start_bytes: int, seconds: float) -> dict[str, Any]:
    """Sums and means over signals that have a code.

    Args:
        start_bytes: size of the start's file, which a decoder needs once for the whole collection.
        seconds: wall time of the call; the speed counts signals that were encoded in it, and not those that were kept.
    """
    codes = [one for one in coded if one.code]
    num_bytes, points = sum(one.num_bytes for one in codes), sum(one.num_points for one in codes)
    made = sum(not one.kept for one in codes)
    return {
        "signals": len(coded), "codes": len(codes), "kept": len(codes) - made,
        "statuses": {status: sum(one.status == status for one in coded)
                     for status in dict.fromkeys(one.status for one in coded)},
        "bytes": num_bytes, "start_bytes": start_bytes, "samples": points,
        "bits_per_sample": 8 * num_bytes / points if points else nan,
        "bits_per_sample_with_start": 8 * (num_bytes + start_bytes) / points if points else nan,
        "psnr_db": _mean([one.psnr_db for one in codes]),
        "fitted_psnr_db": _mean([one.fitted_psnr_db for one in codes]),
        "seconds": round(seconds, 3), "signals_per_second": made / seconds if made and seconds > 0 else nan,
    }  # fmt: skip


PIXELS = {
    "samples": "pixels", "bits_per_sample": "bits_per_pixel", "bits_per_sample_with_start": "bits_per_pixel_with_start",
}  # fmt: skip


def in_pixels(record: dict[str, Any]) -> dict[str, Any]:
    """The same, where samples are pixels: under these names too."""
    return record | {pixels: record[samples] for samples, pixels in PIXELS.items() if samples in record}


def _mean(numbers: list[float]) -> float:
    known = [x for x in numbers if not isnan(x)]
    return sum(known) / len(known) if known else nan
