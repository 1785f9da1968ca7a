"""Where data sets come from: a word before the colon of their specs, and what opens them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparsine.registry import Registry
from sparsine.signals.dataset import Dataset, check_resolution
from sparsine.signals.paths import expanded

Open = Callable[[str, str, tuple[int, ...] | None, int], Dataset]
"""(spec, what stands behind its colon, samples along each axis that are wanted or None, seed) to the data set."""


@dataclass(frozen=True)
class Source:
    """One kind of place that data sets are opened from. A new one is an entry of SOURCES."""

    help: str
    """How its specs are written and what lies there: "images:DIR, any folder of images"."""
    open: Open
    """Raises BadInput with one line on what to do."""
    has_files: bool = True
    """Whether a path must stand behind the colon."""
    has_options: bool = False
    """Whether `?NAME&key=value` may follow the path (places.py)."""
    resizes: bool = True
    """Whether its signals can be brought to another number of samples."""
    num_axes: int = 2
    """Of its signals: how many numbers a size of theirs has."""


SOURCES: Registry[Source] = Registry(
    "source of data sets", "sparsine.sources", {},
    wanted="a Source", suits=lambda name, value: isinstance(value, Source),
)  # fmt: skip
"""By the word before the colon. The package's own enter themselves (`sparsine.signals.sources`, a file each), as does
any file that `--load` names."""


def of_pictures(help: str, open_pictures: Callable[[str, Path, tuple[int, int] | None, int], Dataset]) -> Source:
    """A source whose signals have (rows, columns), and lie in files."""

    def opened(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
        rows_columns = None if resolution is None else check_resolution(resolution)
        return open_pictures(spec, expanded(path), rows_columns, seed)

    return Source(help, opened)
