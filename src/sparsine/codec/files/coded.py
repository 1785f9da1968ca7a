"""What became of signals of a collection that is encoded: each one, and all of them in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan, prod
from typing import Any, Literal, get_args

from sparsine.codec.encode import Encoded
from sparsine.codec.files.journal import Entry

CodedStatus = Literal["ok", "missed", "diverged", "failed", "unreadable", "changed"]


@dataclass(frozen=True, kw_only=True)
class CodedSignal:
    """One signal: its code, or why it has none."""

    input: str
    """Its name."""
    status: CodedStatus
    """ok, missed, diverged, failed: as `encode_batch` says; unreadable; changed: its place holds the code of other
    values."""
    reason: str = ""
    """Why, where it is not ok."""
    code: str | None = None
    """File name of the code within its folder; None where it has none."""
    num_bytes: int = 0
    """Of the code."""
    shape: tuple[int, ...] = ()
    """Samples along each axis."""
    psnr_db: float = nan
    """Of what a decoder draws."""
    fitted_psnr_db: float = nan
    """Of the fitted vector before it was rounded."""
    kept: bool = False
    """Whether the code was there already."""

    @property
    def num_points(self) -> int:
        return prod(self.shape)

    @property
    def bits_per_sample(self) -> float:
        """NaN where there is no code."""
        return 8 * self.num_bytes / self.num_points if self.code else nan

    def to_dict(self) -> dict[str, Any]:
        """The record of one signal."""
        record = {
            "input": self.input, "code": self.code, "bytes": self.num_bytes, "bits_per_sample": self.bits_per_sample,
            "psnr_db": self.psnr_db, "fitted_psnr_db": self.fitted_psnr_db, "status": self.status,
            "shape": list(self.shape), "kept": self.kept,
        }  # fmt: skip
        return record | ({"reason": self.reason} if self.reason else {})

    def to_entry(self) -> Entry:
        """What a journal keeps of it, beside the names and sums that it writes anyway."""
        return {"bytes": self.num_bytes, "shape": list(self.shape), "psnr_db": self.psnr_db,
                "fitted_psnr_db": self.fitted_psnr_db, "status": self.status, "reason": self.reason}  # fmt: skip


def from_encoded(name: str, file: str, shape: tuple[int, ...], encoded: Encoded) -> CodedSignal:
    """A signal that was just encoded to `file`."""
    return CodedSignal(
        input=name, status=encoded.status, reason=encoded.reason, code=file if encoded.data else None,
        num_bytes=len(encoded.data), shape=shape, psnr_db=encoded.psnr_db, fitted_psnr_db=encoded.fitted_psnr_db,
    )  # fmt: skip


def from_entry(entry: Entry) -> CodedSignal | None:
    """A signal whose code is there already; None where the entry does not say what it should."""
    try:
        if entry["status"] not in get_args(CodedStatus):
            return None
        return CodedSignal(
            input=entry["input"], status=entry["status"], reason=str(entry["reason"]), code=entry["file"],
            num_bytes=int(entry["bytes"]), shape=tuple(int(n) for n in entry["shape"]),
            psnr_db=_number(entry["psnr_db"]), fitted_psnr_db=_number(entry["fitted_psnr_db"]), kept=True,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _number(value: Any) -> float:
    return nan if value is None else float(value)


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
