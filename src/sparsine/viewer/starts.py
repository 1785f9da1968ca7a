"""The starts that codes may belong to: each code names its own by a hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import NamedTuple

from sparsine.codec import CodeHeader, Coder, FittedField, decode, read_header, start_hash
from sparsine.codec.format.header import BYTES_PER_NUMBER, MAGIC
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fitting.fitted_files import FittedFile, has_vectors, most_bytes, read_fitted_file
from sparsine.lazy import cached_property
from sparsine.meta.run_folder import start_files
from sparsine.starts.start import Start, load_start

MOST_HEADER_BYTES = 4096


class Drawer:
    """One start with what is needed to draw its codes, made when it is first needed."""

    def __init__(self, name: str, start: Start) -> None:
        self.name, self.start = name, start

    @cached_property
    def coder(self) -> Coder:
        return Coder(self.start)

    @cached_property
    def engine(self) -> Engine:
        return make_engine(self.start.pattern)


class Facts(NamedTuple):
    """What a file says of itself."""

    shape: tuple[int, ...]
    bits_per_sample: float
    start_hash: bytes
    psnr_db: float | None
    """Of a fitted vector; what is known of a code the encoder noted elsewhere."""


@dataclass(frozen=True)
class Opened:
    """One code, decoded."""

    field: FittedField
    drawer: Drawer


class Starts:
    """Finds the start of a code among those that were given.

    Raises:
        BadInput: none was given.
    """

    def __init__(self, starts: Sequence[tuple[str, Start]]) -> None:
        if not starts:
            raise BadInput("no start was given; name a start file, or the folder of a run")
        self.drawers = {start_hash(start): Drawer(name, start) for name, start in starts}
        of_codes = MOST_HEADER_BYTES + BYTES_PER_NUMBER * max(s.pattern.num_params for _, s in starts)
        self.most_bytes = max(of_codes, *(most_bytes(start) for _, start in starts))

    @classmethod
    def at(cls, path: Path) -> "Starts":
        """A start file, or all starts of a run's folder.

        Raises:
            BadInput: there is none.
        """
        return cls([(p.name, load_start(p)) for p in start_files(path)])

    def facts(self, data: bytes) -> tuple[Facts, Drawer]:
        """What a code or a fitted vector says of itself, and who can draw it.

        Raises:
            BadInput: damaged, of another version, or of another start.
        """
        if _is_fitted(data):
            fitted, drawer = self._fitted(data)
            bits = 8 * len(data) / prod(fitted.domain.shape)
            return Facts(fitted.domain.shape, bits, start_hash(drawer.start), fitted.psnr_db), drawer
        header, drawer = self.header(data)
        return Facts(header.shape, header.bits_per_sample, header.start_hash, None), drawer

    def _fitted(self, data: bytes) -> tuple[FittedFile, Drawer]:
        fitted = read_fitted_file(Path("it"), data)
        for drawer in self.drawers.values():
            if fitted.belongs_to(drawer.start):
                return fitted, drawer
        raise BadInput("the fit belongs to another start; give the one that it was fitted from")

    def header(self, data: bytes) -> tuple[CodeHeader, Drawer]:
        """What a code says of itself, and who can draw it.

        Raises:
            BadInput: damaged, of another version, or of another start.
        """
        header = read_header(data)
        drawer = self.drawers.get(header.start_hash)
        if drawer is None:
            given = ", ".join(hash_.hex() for hash_ in list(self.drawers)[:4])
            more = f" and {len(self.drawers) - 4} more" if len(self.drawers) > 4 else ""
            raise BadInput(
                f"the code belongs to another start: {header.start_hash.hex()}, but {given}{more} was given; "
                "give the start that it was encoded with"
            )
        return header, drawer

    def open(self, data: bytes) -> Opened:
        """The field of a code, or of a fitted vector. Raises BadInput as `facts` does."""
        if _is_fitted(data):
            fitted, drawer = self._fitted(data)
            return Opened(fitted.field(drawer.start), drawer)
        _, drawer = self.header(data)
        return Opened(decode(drawer.start, data, coder=drawer.coder), drawer)


def _is_fitted(data: bytes) -> bool:
    """Whether these are a fitted vector's, and not a code's."""
    return data[: len(MAGIC)] != MAGIC and has_vectors(data)
