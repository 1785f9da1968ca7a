"""Folders that results go to: one process at a time writes there, and none is made again when it vanishes.

A folder that was moved or removed while hours of work go on must not come back half full, under a message of success.
So whoever holds a folder remembers which one it is, by device and inode, and every write below it asks first.
"""

import contextlib
import errno
import fcntl
import os
import stat
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sparsine.errors import BadInput, WorkFailed

LOCK = ".lock"
Identity = tuple[int, int]
"""Device and inode."""
Visited = tuple[str, list[str], list[str]]
_PATH_ONLY = getattr(os, "O_PATH", os.O_RDONLY)


class CannotLock(UserWarning):
    """The file system has no locks, so that nothing keeps a second process out of a folder."""


@dataclass(frozen=True)
class Held:
    """A folder that this process works in, as it was when the work began."""

    folder: Path
    """As it was named."""
    root: Path
    """The same from the top of the file system."""
    real: Path
    """The same where no part of the name is a link."""
    identity: Identity
    lock: Identity | None
    """Of its lock file; None where another process holds the lock for us, or none is needed."""
    can_lock: bool = True

    def check(self) -> None:
        """Raises WorkFailed unless the folder, and its lock, are still the same."""
        if _identity_at(self.root) != self.identity:
            raise WorkFailed(
                f"{self.folder} was moved, removed or replaced while it was written to; nothing more is written. Bring "
                "it back, or name it where it is now, and give the same command again"
            )
        if self.lock is not None and _identity_at(self.root / LOCK, follow=False) != self.lock:
            raise WorkFailed(
                f"{self.folder / LOCK} was removed or replaced while {self.folder} was written to, so that another "
                "process may write there too; nothing more is written. Give the same command again"
            )


_held: list[Held] = []
"""By this process, outer ones first."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[Held]:
    """Hold `folder` for this process. The system lets go when the process ends, however it ends.

    Where the file system cannot lock, `CannotLock` is warned once, and the work goes on.

    Raises:
        BadInput: another process holds it, or it cannot be used.
        WorkFailed: at the end, it is not the same folder any more.
    """
    with contextlib.ExitStack() as stack:
        try:
            make_folder(folder)
            place = os.open(folder, _PATH_ONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, place)
            lock = _open_lock(place)
            stack.callback(os.close, lock)
        except OSError as error:
            raise BadInput(f"cannot use {folder} as an output folder: {error.strerror or error}") from error
        can_lock = _lock(lock, folder)
        which, of_lock = (_identity(os.fstat(descriptor)) for descriptor in (place, lock))
        held = Held(folder, _absolute(folder), _real(folder), which, of_lock, can_lock)
        with watched(held):
            yield held


@contextlib.contextmanager
def watched(held: Held) -> Iterator[Held]:
    """Nothing is written below `held` unless it is still the same folder; looked at once more at the end, and where
    something could not be read or written: that is why."""
    held.check()
    _held.append(held)
    try:
        yield held
        held.check()
    except (OSError, BadInput):
        held.check()
        raise
    finally:
        _held.remove(held)


def as_it_is(folder: Path) -> Held:
    """A folder that is there, to be watched without a lock. Raises BadInput where none is."""
    identity = _identity_at(folder)
    if identity is None:
        raise BadInput(f"cannot use {folder}: it is not there, or may not be looked into")
    return Held(folder, _absolute(folder), _real(folder), identity, None)


def check_held(path: Path) -> None:
    """Raises WorkFailed where `path` lies in a folder that is held, and is not the same any more."""
    for held in _around(path):
        held.check()


def make_folder(folder: Path) -> None:
    """`folder` with all that is above it, however deep; but a folder that is held is never made again.

    Raises:
        OSError: the system refused.
        WorkFailed: as `check_held`.
    """
    check_held(folder)
    there = {root for held in _around(folder) for root in (held.root, held.real)}  # as it was looked at just now
    missing = [] if _absolute(folder) in there else [folder]
    while missing:
        above = missing[-1].parent
        try:
            os.mkdir(missing[-1])
        except FileNotFoundError:
            if _absolute(above) in there or above == missing[-1]:
                raise
            missing.append(above)
            continue
        except OSError:
            if not missing[-1].is_dir():
                raise
        missing.pop()


def names_in(folder: Path, use: str = "--out needs a folder") -> set[str]:
    """What is in an output folder, hidden files apart; nothing where it is not there yet.

    Raises:
        BadInput: it is no folder, or may not be looked into; `use` says what was wanted.
    """
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if not entry.name.startswith(".")}
    except FileNotFoundError:
        if os.path.islink(folder):
            raise BadInput(f"{folder} is a link that leads nowhere; {use}") from None
        return set()
    except NotADirectoryError as error:
        if os.path.isfile(folder):
            raise BadInput(f"{folder} is a file; {use}") from error
        raise BadInput(f"cannot use {folder} as an output folder: {error.strerror}; {use}") from error
    except OSError as error:
        raise BadInput(f"cannot use {folder} as an output folder: {error.strerror or error}") from error


def walk(folder: Path, onerror: Callable[[OSError], object] | None = None) -> Iterator[Visited]:
    """As os.walk, from the top and through links, but however deep: (folder, its folders, its other entries), each
    sorted. Folders that are taken out of the list are not entered. `onerror` is called with what cannot be listed."""
    waiting = [str(folder)]
    while waiting:
        where = waiting.pop()
        folders, others = list[str](), list[str]()
        try:
            with os.scandir(where) as entries:
                for entry in entries:
                    (folders if _is_folder(entry) else others).append(entry.name)
        except OSError as error:
            if onerror:
                onerror(error)
            continue
        folders.sort()
        others.sort()
        yield where, folders, others
        waiting += [os.path.join(where, name) for name in reversed(folders)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def check_places(folder: Path, *, files: Sequence[str], folders: Sequence[str] = ()) -> None:
    """Said before the work, not after it: raises BadInput where a folder stands in the place of one of `files`, or
    anything else in that of one of `folders`."""
    for name in files:
        if (folder / name).is_dir():
            raise BadInput(f"{folder / name} is a folder, in the place of a file that is to be written; move it away")
    for name in folders:
        if os.path.lexists(folder / name) and not (folder / name).is_dir():
            raise BadInput(f"{folder / name} is no folder, but files are to be written there; move it away")


def _around(path: Path) -> list[Held]:
    place = _absolute(path)
    return [held for held in _held if place.is_relative_to(held.root) or place.is_relative_to(held.real)]


def _open_lock(place: int) -> int:
    """The lock file in a folder, made where there is none. Never what a link leads to, nothing is emptied, and no pipe
    is waited for."""
    with contextlib.suppress(FileNotFoundError):
        _check_plain(os.stat(LOCK, dir_fd=place, follow_symlinks=False))
    flags = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | flags, 0o666, dir_fd=place)
    except PermissionError as error:  # of another user, in a folder for a group: it may be locked all the same
        try:
            lock = os.open(LOCK, os.O_RDONLY | flags, dir_fd=place)
        except FileNotFoundError:
            raise error from None
    try:
        _check_plain(os.fstat(lock))
    except OSError:
        os.close(lock)
        raise
    return lock


def _check_plain(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = "a link" if stat.S_ISLNK(found.st_mode) else "something else"
        raise OSError(errno.EINVAL, f"its {LOCK} is {kind}, and no lock file; remove it")


def _lock(lock: int, folder: Path) -> bool:
    """Whether the file system can lock. Raises BadInput where another process was first."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BadInput(f"another process is writing to {folder}; wait for it or choose another folder") from error
    except OSError as error:
        if all(held.can_lock for held in _around(folder)):  # else it was said already
            warnings.warn(
                f"the file system of {folder} cannot lock ({error.strerror or error}), so nothing keeps a second "
                "process from writing there at the same time", CannotLock, stacklevel=2,
            )  # fmt: skip
        return False
    return True


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino


def _identity_at(path: Path, follow: bool = True) -> Identity | None:
    try:
        return _identity(os.stat(path, follow_symlinks=follow))
    except OSError:
        return None
