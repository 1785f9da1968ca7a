"""Files that lie elsewhere, by their address: s3://bucket/name, https://host/name, gs://, sftp://, memory://, ...

What fsspec and its packages understand is understood; a package that is missing is named. `file://` is a path.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import unquote

from sparsine.errors import BadInput, UnreadableSignal, WorkFailed

T = TypeVar("T")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
WAITS = 0.5, 2.0
"""Seconds before a second try and a third one."""
_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, NotImplementedError, ImportError,
          ValueError)  # fmt: skip
"""Errors that another try would not change."""


@dataclass(frozen=True)
class Address:
    """Where a file or a folder lies."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, name: str) -> "Address":
        return Address(f"{self.text.rstrip('/')}/{name}")

    @property
    def name(self) -> str:
        return PurePosixPath(self.text.partition("?")[0]).name

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix


Place = Path | Address


def as_place(text: Place | str) -> Place:
    """An address, or a path as it was written.

    Example:
        >>> as_place("s3://bucket/a.png").suffix, as_place("file:///tmp/a%20b.png"), as_place("a.png")
        ('.png', PosixPath('/tmp/a b.png'), PosixPath('a.png'))
    """
    if not isinstance(text, str):
        return text
    if text.startswith("file:///"):
        return Path(unquote(text.removeprefix("file://")))
    return Address(text) if _ADDRESS.match(text) else Path(text)


def read(address: Address, most_bytes: int | None = None) -> bytes:
    """A whole file, tried three times.

    Raises:
        UnreadableSignal: it is missing, cannot be reached, or is larger than `most_bytes`.
    """
    try:
        files, path = _opened(address)
        data: bytes = _tried(lambda: files.cat_file(path, end=None if most_bytes is None else most_bytes + 1))
    except Exception as error:
        raise UnreadableSignal(f"{address}: it cannot be read: {_reason(error)}") from error
    if most_bytes is not None and len(data) > most_bytes:
        raise UnreadableSignal(f"{address}: it has more than {most_bytes} bytes, which no such file has")
    return data


def write(address: Address, data: bytes) -> None:
    """A whole file, tried three times; object stores show it whole or not at all. Raises WorkFailed."""
    try:
        files, path = _opened(address)
        _tried(lambda: files.pipe_file(path, data))
    except Exception as error:
        raise WorkFailed(f"cannot write {address}: {_reason(error)}") from error


def remove(address: Address) -> None:
    """Raises WorkFailed."""
    try:
        files, path = _opened(address)
        _tried(lambda: files.rm_file(path))
    except Exception as error:
        raise WorkFailed(f"cannot remove {address}: {_reason(error)}") from error


def names_below(folder: Address) -> list[str]:
    """Of all files below `folder`, relative to it, sorted; none where nothing is there.

    Raises:
        BadInput: it cannot be listed.
    """
    try:
        files, path = _opened(folder)
        files.invalidate_cache()
        found = _tried(lambda: _found(files, path))
    except Exception as error:
        raise BadInput(f"cannot list {folder}: {_reason(error)}") from error
    root = path.rstrip("/") + "/"
    return sorted(name.removeprefix(root) for name in found if name.startswith(root) and not name.endswith("/"))


def matching(address: Address, suffixes: Iterable[str]) -> dict[str, Address]:
    """Files by unique names: those that a pattern (`*`) names, those below a folder that end in one of `suffixes` and
    are not hidden, or the one at the address.

    Raises:
        BadInput: it cannot be listed, or nothing is there.
    """
    text, ends = address.text, tuple(suffixes)
    if "*" in text:
        base, _, pattern = text[: text.index("*")].rpartition("/")
        wanted = _as_regex(pattern + text[text.index("*") :])
        found = [name for name in names_below(Address(base)) if wanted.fullmatch(name)]
        return {name: Address(base) / name for name in _some(found, address, "no file of that pattern")}
    if text.partition("?")[0].lower().endswith(ends):
        return {address.name: address}
    found = [name for name in names_below(address) if name.lower().endswith(ends) and not _is_hidden(name)]
    return {name: address / name for name in _some(found, address, f"no file that ends in {', '.join(sorted(ends))}")}


def _some(found: list[str], address: Address, lacking: str) -> list[str]:
    if not found:
        raise BadInput(f"{address} holds {lacking}; name one that does, or a file itself")
    return found


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _as_regex(pattern: str) -> re.Pattern[str]:
    """`*` stands for anything but `/`, `**` for anything."""
    parts = re.split(r"(\*+)", pattern)
    return re.compile("".join({"*": "[^/]*"}.get(p, ".*") if p.startswith("*") else re.escape(p) for p in parts))


def _found(files: Any, path: str) -> list[str]:
    try:
        return [str(name) for name in files.find(path)]
    except FileNotFoundError:
        return []


def _opened(address: Address) -> tuple[Any, str]:
    from fsspec.core import url_to_fs  # slow to import, and needed by few

    files, path = url_to_fs(address.text)
    return files, str(path)


def _tried(work: Callable[[], T]) -> T:
    for wait in WAITS:
        try:
            return work()
        except _FINAL:
            raise
        except Exception:
            time.sleep(wait)
    return work()


def _reason(error: Exception) -> str:
    """In one line, for whoever gave the address."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, ImportError):
        return f"{error}: python -m pip install ..., into the environment of sparsine"
    if isinstance(error, NotImplementedError):
        return "what lies there can only be read"
    told = str(error).splitlines()
    return f"{told[0]} ({type(error).__name__})" if told else type(error).__name__
