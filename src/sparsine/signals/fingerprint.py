"""Whether a signal is still the one that it was: sixteen digits that follow from its content, never from its date.

They are there to notice accidents in collections of hundreds of thousands of files. Of a file of at most WHOLE bytes
every byte counts; of a larger one its length and PIECES evenly spread parts, the first and the last bytes among them: a
compressed picture is another one, from where it was changed to its end.
"""

import hashlib
import os
import stat
from pathlib import Path

WHOLE, PIECES = 1 << 16, 4
UNREADABLE = "unreadable"
"""The fingerprint of what cannot be read."""
_DIGITS = 16


def fingerprint_bytes(*parts: bytes | memoryview) -> str:
    """Of the parts, one after the other."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:_DIGITS]


def fingerprint_file(path: Path) -> str:
    """Of what is in a file; UNREADABLE where it is missing, no regular file, or may not be read."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return UNREADABLE
            parts = [str(status.st_size).encode()]
            for place, length in _pieces(status.st_size):
                file.seek(place)
                parts.append(file.read(length))
            return fingerprint_bytes(*parts)
    except OSError:
        return UNREADABLE


def _pieces(size: int) -> list[tuple[int, int]]:
    """(first byte, length) of what is looked at in a file of so many bytes."""
    if size <= WHOLE:
        return [(0, size)]
    length = WHOLE // PIECES
    return [((size - length) * i // (PIECES - 1), length) for i in range(PIECES)]


def _without_waiting(path: str, flags: int) -> int:
    """A pipe that nobody writes into would be waited for."""
    return os.open(path, flags | os.O_NONBLOCK)
