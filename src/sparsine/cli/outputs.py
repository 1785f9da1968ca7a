"""Files that a person names for results: `--json FILE`, `--out FILE`.

-                     standard output; what is said for people goes to standard error meanwhile
a link                what it leads to is written
a device or a pipe    is opened and written to, once, at the end
any other file        is replaced whole, or stays as it was

All of them are looked at before the work, not after it.
"""

import contextlib
import errno
import io
import os
import stat
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import make_folder
from sparsine.storage import flush, json_bytes, kind_of, replace

DASH = Path("-")
PATIENCE_SECONDS = 2.0


class Output(ABC):
    """Where a result goes."""

    left = "what was written before this stays"
    """What a failure leaves."""
    renewable = False
    """Whether it may be written several times: the last one stays."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write_json(self, value: Any) -> None:
        """As readable JSON. Raises WorkFailed when the system refuses."""
        self.write(json_bytes(value))

    def draft_json(self, value: Any) -> None:
        """What is known so far, where that can be replaced."""
        if self.renewable:
            self.write_json(value)

    def write(self, data: bytes) -> None:
        """All of it. Raises WorkFailed when the system refuses."""
        try:
            self._write(data)
        except (OSError, ValueError) as error:  # ValueError: a stream that was closed
            reason = getattr(error, "strerror", None) or error
            raise WorkFailed(f"cannot write {self.name}: {reason}; {self.left}") from error

    @abstractmethod
    def _write(self, data: bytes) -> None: ...


@contextlib.contextmanager
def output(path: Path | None, option: str, *, instead: str = "", text: bool = True) -> Iterator[Output]:
    """The file at `path`, named by `option`; None takes everything and keeps nothing.

    Args:
        instead: what to do where a file is there already; without, it is replaced.
        text: whether it is for people to read, too; else a terminal is no place for it.

    Raises:
        BadInput: it cannot be written; said before anything else is done.
    """
    with contextlib.ExitStack() as stack:
        found = _Nothing(option) if path is None else _found(path, option, instead)
        if isinstance(found, _Opened):
            stack.callback(found.file.close)
        if isinstance(found, _Stream) and not text and found.stream.isatty():
            raise BadInput(f"{option} would go to a terminal; name a file, or send it on with | or >")
        if isinstance(found, _Stream) and found.stream is sys.stdout:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield found


def _found(path: Path, option: str, instead: str) -> Output:
    if path == DASH:
        return _Stream("standard output", sys.stdout)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        _check_folder(path, option)
        return _File(path)
    except (OSError, ValueError) as error:  # ValueError: a zero byte
        raise BadInput(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error
    if (stream := _stream_at(there)) is not None:
        return _Stream(str(path), stream)
    if not stat.S_ISREG(there.st_mode):
        return _Opened(path, option, there.st_mode)
    if instead:
        raise BadInput(f"{path} is there already; choose another name for {option}, or {instead}")
    if not _leads_to(path, there):
        return _Opened(path, option, there.st_mode)
    if not os.access(path, os.W_OK):
        raise BadInput(f"cannot write {path}: no permission; choose another name for {option}")
    return _File(path)


class _Nothing(Output):
    def _write(self, data: bytes) -> None:
        pass


class _Stream(Output):
    """Standard output or error."""

    def __init__(self, name: str, stream: TextIO) -> None:
        super().__init__(name)
        self.stream = stream

    def _write(self, data: bytes) -> None:
        self.stream.flush()
        self.stream.buffer.write(data)
        self.stream.buffer.flush()


class _Opened(Output):
    """A device, a pipe, a descriptor of the shell: opened now, so that its reader may wait for the end."""

    def __init__(self, path: Path, option: str, mode: int) -> None:
        super().__init__(str(path))
        if stat.S_ISDIR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
            raise BadInput(f"{path} is {kind_of(mode)}; {option} needs the name of a file")
        try:
            descriptor = _opened(path)
        except OSError as error:
            if error.errno == errno.ENXIO and stat.S_ISFIFO(mode):
                raise BadInput(f"nobody reads from the pipe {path}; start its reader before this command") from error
            raise BadInput(f"cannot write {path}: {error.strerror or error}") from error
        os.set_blocking(descriptor, True)
        self.file = open(descriptor, "wb", buffering=0)  # noqa: SIM115 (closed by `output`)
        self.is_plain = stat.S_ISREG(mode)

    def _write(self, data: bytes) -> None:
        if self.is_plain:
            self.file.truncate(0)
        _write_all(self.file, data)


def _opened(path: Path) -> int:
    """A descriptor to write to. A pipe has one once somebody reads it; who was started with us may need a moment."""
    began = time.monotonic()
    while True:
        try:
            return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() - began >= PATIENCE_SECONDS:
                raise
        time.sleep(0.05)


class _File(Output):
    """A plain file, there or not; through links."""

    renewable = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.place = Path(os.path.realpath(path))
        self.left = "what was there before is untouched"

    def _write(self, data: bytes) -> None:
        make_folder(self.place.parent)
        there = os.stat(self.place) if self.place.exists() else None
        try:
            replace(self.place, data, like=there)
        except OSError as error:
            if there is None or error.errno not in _ONLY_OVER:
                raise
            self.left = "what was there before is lost"
            with open(self.place, "r+b", buffering=0) as file:
                _write_all(file, data)
                file.truncate()
                flush(file)


_ONLY_OVER = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY}
"""A file may be written over in a folder where none may be made, or where it is mounted by itself, as in containers."""


def _write_all(file: io.RawIOBase, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]


def _stream_at(there: os.stat_result) -> TextIO | None:
    """Standard output or error, where they are that very file: /dev/stdout, or that to which they were redirected."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        with contextlib.suppress(OSError):
            own = os.fstat(number)
            anybodys = stat.S_ISCHR(own.st_mode) and not os.isatty(number)  # /dev/null is also where other text goes
            if os.path.samestat(own, there) and not anybodys:
                return stream
    return None


def _leads_to(path: Path, there: os.stat_result) -> bool:
    """Whether the name at the end of all links is the file: it is not where a descriptor was left of a removed one."""
    try:
        return os.path.samestat(os.stat(os.path.realpath(path)), there)
    except OSError:
        return False


def _check_folder(path: Path, option: str) -> None:
    """Raises BadInput unless a file can be made where `path` leads."""
    place = Path(os.path.realpath(path))
    folder = next(above for above in place.parents if os.path.lexists(above))
    if not folder.is_dir():
        raise BadInput(f"cannot write {path}: {folder} is not a folder; {option} needs the name of a file")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInput(f"cannot write {path}: no permission to make files in {folder}")
