"""What became of one code of a collection that is decoded, and the first half of its way: read and decoded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jaxtyping import Float
from torch import Tensor

from sparsine.addresses import Place
from sparsine.codec.coder import Coder
from sparsine.codec.encode import decode
from sparsine.codec.files.code_files import read_bounded
from sparsine.codec.files.journal import Journal, sha256
from sparsine.codec.format.header import BYTES_PER_NUMBER, SUFFIX
from sparsine.errors import BadInput
from sparsine.fitting import fitted_files
from sparsine.fitting.fitted_field import FittedField
from sparsine.starts.start import Start

HEADER_ROOM = 1 << 16
"""Bytes of a code beside its payload, at the very most."""
DrawnStatus = Literal["ok", "bad", "changed"]


@dataclass(frozen=True, kw_only=True)
class DrawnCode:
    """What became of one code."""

    input: str
    """Its name."""
    status: DrawnStatus
    """ok; bad: unreadable, damaged, of another start, or too large to draw; changed: its place holds the drawing of
    another code."""
    reason: str = ""
    """Why, where it is not ok."""
    picture: str | None = None
    """File name of the picture within its folder; None where there is none."""
    shape: tuple[int, ...] = ()
    """(rows, columns) of the picture."""
    kept: bool = False
    """Whether the picture was there already."""

    def to_dict(self) -> dict[str, Any]:
        """The record of one code."""
        record = {"input": self.input, "picture": self.picture, "status": self.status, "shape": list(self.shape),
                  "kept": self.kept}  # fmt: skip
        return record | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True)
class Decoded:
    """A code that is to be drawn: all of it but the start."""

    name: str
    file: str
    digest: str
    theta: Float[Tensor, " params"]
    shape: tuple[int, ...]
    about: dict[str, Any]

    def field(self, start: Start) -> FittedField:
        return FittedField(start, self.theta, self.shape, self.about)


class CodeReader:
    """Reads and decodes, from any thread."""

    def __init__(self, coder: Coder, codes: Mapping[str, Place], journal: Journal, overwrite: bool) -> None:
        self._coder, self._codes, self._journal, self._overwrite = coder, codes, journal, overwrite
        self._files = {name: journal.file_of(name, _without_suffix(name)) for name in codes}
        of_a_code = BYTES_PER_NUMBER * coder.start.pattern.num_params + HEADER_ROOM
        self._most_bytes = max(of_a_code, fitted_files.most_bytes(coder.start))

    def read(self, name: str) -> Decoded | DrawnCode:
        try:
            data = read_bounded(path := self._codes[name], self._most_bytes)
            digest = sha256(data)
            if (known := self._known(name, digest)) is not None:
                return known
            field = self._field(path, data)
            return Decoded(name, self._files[name], digest, field.theta, field.shape, field.about)
        except BadInput as error:
            return DrawnCode(input=name, status="bad", reason=str(error))
        except MemoryError:
            return DrawnCode(input=name, status="bad", reason="there was not enough memory to decode it")

    def _field(self, path: Place, data: bytes) -> FittedField:
        if path.suffix == fitted_files.SUFFIX:
            return fitted_files.read_fitted_file(Path(str(path)), data).field(self._coder.start)
        return decode(self._coder.start, data, coder=self._coder)

    def _known(self, name: str, digest: str) -> DrawnCode | None:
        """What the folder holds for it."""
        entry = self._journal.done(name)
        if entry is None:
            return None
        if entry["input_sha256"] == digest:
            return DrawnCode(input=name, status="ok", picture=entry["file"], shape=_shape(entry), kept=True)
        if self._overwrite:
            return None
        why = f"{entry['file']} is the drawing of another code of this name; choose another folder, or say --overwrite"
        return DrawnCode(input=name, status="changed", reason=why)


def _without_suffix(name: str) -> str:
    return name.removesuffix(SUFFIX).removesuffix(fitted_files.SUFFIX)


def _shape(entry: dict[str, Any]) -> tuple[int, ...]:
    shape = entry.get("shape")
    return tuple(n for n in shape if isinstance(n, int)) if isinstance(shape, list) else ()
