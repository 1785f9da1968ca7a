"""Standard output and error that may go away: what cannot be written is dropped, and the work goes on.

The reader of a pipe has seen enough, as in `| head`; a terminal is closed; the disk with the log is full. None of these
is a reason to end hours of work, or to say that it failed.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, cast

_FOR_GOOD = {errno.EPIPE, errno.EIO, errno.EBADF}
"""Nobody will read there again. Where the disk is full, or the pipe for a moment, later lines may come through."""


class Lasting:
    """A text stream whose writes do not fail."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lost: Exception | None = None
        """Why something could not be written."""

    def write(self, text: str) -> int:
        try:
            try:
                return self.stream.write(text)
            except UnicodeEncodeError as error:  # a terminal without these letters
                return self.stream.write(text.encode(error.encoding, "replace").decode(error.encoding))
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self._lose(error)
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except (OSError, ValueError) as error:
            self._lose(error)

    def end(self) -> None:
        """What cannot be written now never will: Python's own last flush must not fail."""
        self.flush()
        if self.lost:
            self._drop()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _lose(self, error: Exception) -> None:
        self.lost = self.lost or error
        if isinstance(error, OSError) and error.errno in _FOR_GOOD:
            self._drop()

    def _drop(self) -> None:
        """From now on, whatever the stream still holds goes nowhere."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nowhere, self.stream.fileno())
            finally:
                os.close(nowhere)


@contextlib.contextmanager
def lasting_streams() -> Iterator[tuple[Lasting, Lasting]]:
    """Standard output and error are such streams meanwhile, also where the process was started without any."""
    _occupy()
    before = sys.stdout, sys.stderr
    nowhere = None if all(before) else open(os.devnull, "w")  # noqa: SIM115 (closed below)
    out, err = (Lasting(cast(TextIO, stream or nowhere)) for stream in before)
    sys.stdout, sys.stderr = cast(TextIO, out), cast(TextIO, err)
    try:
        yield out, err
    finally:
        out.end()
        err.end()
        sys.stdout, sys.stderr = before
        if nowhere:
            nowhere.close()


def _occupy() -> None:
    """Descriptors 0 to 2 lead somewhere: else the next file opened would get one of them, and be printed into."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
