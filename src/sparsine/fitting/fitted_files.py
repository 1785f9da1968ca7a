"""Vectors as `sparsine fit` writes them, and the fields that they draw with the start they were fitted from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.fitting.collection import FittedSignal
from sparsine.fitting.fitted_field import FittedField
from sparsine.psnr import psnr_of
from sparsine.signals.domain import Domain, domain_from_dict
from sparsine.starts.start import Start, vectors_in, write_vectors
from sparsine.storage import read_file

FORMAT, SUFFIX = "sparsine-field", ".safetensors"
HEADER_ROOM = 1 << 16
"""Bytes of such a file beside its numbers and its pattern, at the very most."""


@dataclass(frozen=True)
class FittedFile:
    """One fitted vector, and what its file says of it."""

    pattern: Pattern
    domain: Domain
    about: dict[str, Any]
    """The header: `input`, `psnr_db` (a list of the last one), `start_sha256`."""
    theta: Any

    @property
    def psnr_db(self) -> float | None:
        """Of the fit, as it was written down."""
        recorded = self.about.get("psnr_db")
        return psnr_of(recorded[-1]) if isinstance(recorded, list) and recorded else None

    def belongs_to(self, start: Start) -> bool:
        return bool(self.about.get("start_sha256") == start.digest)

    def field(self, start: Start) -> FittedField:
        """Raises BadInput for a start that it was not fitted from."""
        if not self.belongs_to(start):
            raise BadInput(
                f"the vector was fitted from another start: {str(self.about.get('start_sha256'))[:16]}, but "
                f"{start.digest[:16]} was given; give the start that it was fitted from"
            )
        return FittedField(start, self.theta, self.domain.shape)


def has_vectors(data: bytes) -> bool:
    """Whether bytes begin as files of vectors do: the length of a header, and JSON."""
    return data[8:9] == b"{"


def is_fitted_file(path: Path) -> bool:
    """By its name and what it says of itself. A file that cannot be read is none."""
    try:
        data = read_file(path) if path.suffix == SUFFIX else b""
        vectors_in(data, path, FORMAT)
    except BadInput:
        return False
    return True


def read_fitted_file(path: Path, data: bytes | None = None) -> FittedFile:
    """The file at `path`, whose bytes may be at hand already.

    Raises:
        BadInput: missing, damaged, or another file.
    """
    vectors, pattern, about = vectors_in(read_file(path) if data is None else data, path, FORMAT)
    try:
        theta, domain = vectors["theta"], domain_from_dict(about["grid"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{path} is not a whole fitted vector ({error})") from error
    if theta.shape != (pattern.num_params,):
        raise BadInput(f"{path} holds {tuple(theta.shape)} numbers for {pattern.counts}; restore it from a copy")
    return FittedFile(pattern, domain, about, theta)


def write_fitted(path: Path, start: Start, fitted: FittedSignal) -> None:
    """Raises WorkFailed when the system refuses; ValueError for a signal without a vector."""
    if fitted.theta is None:
        raise ValueError(f"{fitted.name} was not fitted")
    about = {"input": fitted.name, "grid": start.domain.to_dict(), "psnr_db": fitted.psnr_db[-1:],
             "start_sha256": start.digest}  # fmt: skip
    write_vectors(path, {"theta": fitted.theta}, start.pattern, about, FORMAT)


def most_bytes(start: Start) -> int:
    """That a vector of this start takes as a file."""
    return 4 * start.pattern.num_params + start.field.num_weights // 8 + HEADER_ROOM
