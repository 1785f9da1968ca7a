"""Files in folders of ours: either whole or absent, written to a temporary name, flushed, renamed. Only plain files are
read, and only plain files and links are replaced; a link is not followed."""

import contextlib
import errno
import itertools
import json
import os
import stat
from math import isfinite, isnan
from pathlib import Path
from typing import IO, Any, BinaryIO

from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import check_held, make_folder

_numbers = itertools.count()
_KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"),
          (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a disk"), (stat.S_ISLNK, "a link"))  # fmt: skip


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path`; after any interruption the old file or the new one is there, never a part.

    Raises:
        WorkFailed: the system refused (disk full, no permission), or the folder is held and not the same any more; what
            stood at `path` is untouched.
    """
    try:
        make_folder(path.parent)
        with contextlib.suppress(FileNotFoundError):
            found = os.lstat(path).st_mode
            if not stat.S_ISREG(found) and not stat.S_ISLNK(found):
                raise OSError(errno.EINVAL, f"it is {kind_of(found)}")
        replace(path, data)
        _take_back_unless_held(path)
    except OSError as error:
        check_held(path)  # it may have gone just now
        raise WorkFailed(
            f"cannot write {path}: {error.strerror or error}; what was there before is untouched"
        ) from error


def _take_back_unless_held(path: Path) -> None:
    """A folder that was replaced between the look at it and the write keeps nothing of ours. Raises WorkFailed."""
    try:
        check_held(path)
    except WorkFailed:
        path.unlink(missing_ok=True)
        raise


def replace(path: Path, data: bytes, like: os.stat_result | None = None) -> None:
    """A new file in the place of `path`, with the owner and the permissions of `like`, if given. Raises OSError."""
    temporary = path.with_name(f".{os.getpid()}-{next(_numbers)}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of an earlier process with this number
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with open(descriptor, "wb") as file:
            if like is not None:
                with contextlib.suppress(PermissionError):
                    os.fchown(descriptor, like.st_uid, like.st_gid)
                os.fchmod(descriptor, stat.S_IMODE(like.st_mode) & 0o777)
            file.write(data)
            flush(file)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def append(path: Path, data: bytes) -> None:
    """Put `data` at the end of a file that is there. Raises WorkFailed when the system refuses."""
    try:
        check_held(path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(path, flags), "ab") as file:
            check_plain(file.fileno())
            file.write(data)
            flush(file)
    except OSError as error:
        check_held(path)
        raise WorkFailed(
            f"cannot write {path}: {error.strerror or error}; the same command goes on from here"
        ) from error


def open_to_read(path: Path) -> BinaryIO:
    """A plain file, or a link to one. A pipe is not waited for and a device not read. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        check_plain(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return open(descriptor, "rb")


def read_file(path: Path) -> bytes:
    """Raises BadInput when it is missing, no plain file, or may not be read."""
    try:
        with open_to_read(path) as file:
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise BadInput(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON; what JSON has no number for is written as `json_value` says."""
    write_atomically(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """What `write_json` writes."""
    return (json.dumps(json_value(value), indent=1, allow_nan=False) + "\n").encode()


def json_value(value: Any) -> Any:
    """`value` as JSON can hold it, in nested lists and dicts too: a float that is NaN becomes null, infinity the text
    "inf" (of a perfect fit: see psnr.py)."""
    if isinstance(value, float) and not isfinite(value):
        return None if isnan(value) else str(value)
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return value


def read_json(path: Path) -> Any:
    """Raises BadInput when the file is missing or is not JSON."""
    return parse_json(read_file(path), path)


def parse_json(data: bytes, path: Path | str) -> Any:
    """What is in a file that was read already; `path` is for errors. Raises BadInput."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not valid JSON ({error}); restore it from a copy or remove it") from error


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files that an interrupted write left behind."""
    for leftover in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def flush(file: IO[bytes]) -> None:
    """To the disk, where the file system can say so."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise


def check_plain(descriptor: int) -> None:
    """Raises OSError unless an open file is a plain one."""
    found = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(found):
        raise OSError(errno.EISDIR if stat.S_ISDIR(found) else errno.EINVAL, f"it is {kind_of(found)}, and not a file")


def kind_of(mode: int) -> str:
    """What a mode, as `os.stat` tells it, is the mode of."""
    return next((name for is_one, name in _KINDS if is_one(mode)), "a file")
