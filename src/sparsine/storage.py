"""Files that are either whole or absent: written to a temporary name, flushed, renamed."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput, WorkFailed


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` at `path`; after any interruption the old file or the new one is there, never a part.

    Raises:
        WorkFailed: the system refused (disk full, no permission); what stood at `path` is untouched.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise WorkFailed(
            f"cannot write {path}: {error.strerror or error}; what was there before is untouched"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON; a number that is not finite is written as null, since JSON has none."""
    write_atomically(path, (json.dumps(finite_or_none(value), indent=1, allow_nan=False) + "\n").encode())


def finite_or_none(value: Any) -> Any:
    """`value` with every float that is not finite replaced by None, in nested lists and dicts too."""
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {key: finite_or_none(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(item) for item in value]
    return value


def read_json(path: Path) -> Any:
    """Raises BadInput when the file is missing or is not JSON."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise BadInput(f"{path} is not valid JSON ({error}); restore it from a copy or remove it") from error


def remove_leftovers(folder: Path) -> None:
    """Delete temporary files that an interrupted write left behind."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process. The system lets go when the process ends, however it ends.

    Raises:
        BadInput: another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / ".lock", "w")  # noqa: SIM115 (held until the block ends)
    except OSError as error:
        raise BadInput(f"cannot use {folder} as an output folder: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(f"another process is writing to {folder}; wait for it or choose another folder") from error
        yield
