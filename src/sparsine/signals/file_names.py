"""Names of signals as names of files: the one place that makes them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from sparsine.errors import BadInput
from sparsine.signals.formats import IMAGE_SUFFIXES

MAX_BYTES = 150
"""Of a name without its suffix: file systems allow 255, and a temporary name is longer."""


_KEPT = "LMN"
"""Categories of characters: letters, the marks that belong to them (accents, vowel signs), numbers."""


class FileNames:
    """A file name for every signal name, in the composed form of Unicode (NFC): no suffix, no folders, no repeats, also
    where a file system takes large and small letters, or two spellings of an accent, for one.

    Example:
        >>> names = FileNames(suffixes=[".wav"])
        >>> names.of("a/b.png"), names.of("../a_b.jpg"), names.of("A_B"), names.of(".."), names.of("long.wav@03")
        ('a_b', '_a_b', 'A_B-2', 'signal', 'long_03')
    """

    def __init__(self, taken: Iterable[str] = (), suffixes: Iterable[str] = ()) -> None:
        """`taken`: names that are not given away. `suffixes`: those, beside images', that no name keeps."""
        self._suffixes = IMAGE_SUFFIXES.union(suffixes)
        self.given: set[str] = set(map(_same, taken))

    def of(self, name: str) -> str:
        """A new name; characters that could lead elsewhere become '_'."""
        plain = "".join(map(_plain, unicodedata.normalize("NFC", self._without_suffix(name)))).strip(".") or "signal"
        first = plain.encode()[:MAX_BYTES].decode(errors="ignore")
        stem, number = first, 1
        while _same(stem) in self.given:
            number += 1
            stem = f"{first}-{number}"
        self.given.add(_same(stem))
        return stem

    def _without_suffix(self, name: str) -> str:
        """Also of a part of a file, as in 'long.wav@03' or 'brain.nii.gz@016-048-000'."""
        file, at, part = name.rpartition("@")
        if not part.replace("-", "").isdecimal():
            file, at, part = name, "", ""
        known = ("".join(Path(file).suffixes[-number:]) for number in (2, 1))  # the longer one first
        suffix = next((suffix for suffix in known if suffix.lower() in self._suffixes), "")
        return (file[: -len(suffix)] if suffix else file) + at + part


def _plain(character: str) -> str:
    return character if character in "-_." or unicodedata.category(character)[0] in _KEPT else "_"


def _same(name: str) -> str:
    """Names that a file system may take for one have one of these."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


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
