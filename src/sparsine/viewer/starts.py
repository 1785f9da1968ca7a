"""The starts that codes may belong to: each code names its own by a hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sparsine.codec import CodeHeader, Coder, FittedField, decode, read_header, start_hash
from sparsine.codec.header import BYTES_PER_NUMBER
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
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


@dataclass(frozen=True)
class Opened:
    """One code, decoded."""

    header: CodeHeader
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
        self.most_bytes = MOST_HEADER_BYTES + BYTES_PER_NUMBER * max(s.pattern.num_params for _, s in starts)

    @classmethod
    def at(cls, path: Path) -> "Starts":
        """A start file, or all starts of a run's folder.

        Raises:
            BadInput: there is none.
        """
        return cls([(p.name, load_start(p)) for p in start_files(path)])

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
        """The field of a code. Raises BadInput as `header` does."""
        header, drawer = self.header(data)
        return Opened(header, decode(drawer.start, data, coder=drawer.coder), drawer)
