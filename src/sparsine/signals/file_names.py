"""Names of signals as names of files."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from sparsine.errors import BadInput
from sparsine.signals.decode import IMAGE_SUFFIXES

MAX_BYTES = 150
"""Of a name without its suffix: file systems allow 255, and a temporary name is longer."""


class FileNames:
    """A file name for every signal name: no folders, no repeats, whatever the case of letters.

    Example:
        >>> names = FileNames()
        >>> names.of("a/b.png"), names.of("../a_b.jpg"), names.of("A_B"), names.of("..")
        ('a_b', '_a_b', 'A_B-2', 'signal')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        """`taken`: names that are not given away."""
        self.given: set[str] = {name.lower() for name in taken}

    def of(self, name: str) -> str:
        """A new name; characters that could lead elsewhere become '_'."""
        without = name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in IMAGE_SUFFIXES else name
        plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in without).strip(".") or "signal"
        first = plain.encode()[:MAX_BYTES].decode(errors="ignore")
        stem, number = first, 1
        while stem.lower() in self.given:
            number += 1
            stem = f"{first}-{number}"
        self.given.add(stem.lower())
        return stem


def with_unique_names(found: Sequence[tuple[str, Path]], what: str) -> dict[str, Path]:
    """Short names where they are unique, whole paths where not.

    Raises:
        BadInput: a path that is given twice; `what` says what it is.
    """
    times = Counter(name for name, _ in found)
    named: dict[str, Path] = {}
    for name, path in found:
        unique = name if times[name] == 1 else path.as_posix()
        if unique in named:
            raise BadInput(f"{path} is given twice; name each {what} once")
        named[unique] = path
    return named
