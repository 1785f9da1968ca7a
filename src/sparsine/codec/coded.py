"""What became of one signal of a collection that is encoded."""

from dataclasses import dataclass
from math import nan, prod
from typing import Any, Literal, get_args

from sparsine.codec.encode import Encoded
from sparsine.codec.ledger import Line

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

    def to_line(self) -> Line:
        """What a journal keeps of it, beside the names and sums that it writes anyway."""
        return {"bytes": self.num_bytes, "shape": list(self.shape), "psnr_db": self.psnr_db,
                "fitted_psnr_db": self.fitted_psnr_db, "status": self.status, "reason": self.reason}  # fmt: skip


def from_encoded(name: str, file: str, shape: tuple[int, ...], encoded: Encoded) -> CodedSignal:
    """A signal that was just encoded to `file`."""
    return CodedSignal(
        input=name, status=encoded.status, reason=encoded.reason, code=file if encoded.data else None,
        num_bytes=len(encoded.data), shape=shape, psnr_db=encoded.psnr_db, fitted_psnr_db=encoded.fitted_psnr_db,
    )  # fmt: skip


def from_line(line: Line) -> CodedSignal | None:
    """A signal whose code is there already; None where the line does not say what it should."""
    try:
        if line["status"] not in get_args(CodedStatus):
            return None
        return CodedSignal(
            input=line["input"], status=line["status"], reason=str(line["reason"]), code=line["file"],
            num_bytes=int(line["bytes"]), shape=tuple(int(n) for n in line["shape"]), psnr_db=_number(line["psnr_db"]),
            fitted_psnr_db=_number(line["fitted_psnr_db"]), kept=True,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _number(value: Any) -> float:
    return nan if value is None else float(value)
