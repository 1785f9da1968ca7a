"""metrics.jsonl of a run: one object a line, appended to while it learns."""

import errno
import json
import os
import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TextIO

from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import check_held

FILE = "metrics.jsonl"
LONGEST_LINE = 1 << 20
_ELSEWHERE = "{} is no regular file but a link or a device; move it away"


def read_metrics(folder: Path | str) -> list[dict[str, Any]]:
    """Its lines; those that are cut short or damaged are left out."""
    path = Path(folder) / FILE
    if not path.is_file():
        return []
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from error
    found = []
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            found.append(json.loads(line))
    return [line for line in found if isinstance(line, dict)]


def open_metrics(folder: Path, num_bytes: int) -> tuple[TextIO, str]:
    """The file, ready for the line after its first `num_bytes`, and a sentence on lines that are lost, if any are.

    Raises:
        BadInput: a link or no regular file is in its place, which would lead what is written elsewhere.
        WorkFailed: the system refused, or the folder is not the same any more.
    """
    path = folder / FILE
    check_held(path)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        with ExitStack() as undo:
            undo.callback(os.close, descriptor)
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise BadInput(_ELSEWHERE.format(path))
            kept = _whole_lines(descriptor, min(num_bytes, status.st_size))
            os.truncate(descriptor, kept)
            file = os.fdopen(descriptor, "a")
            undo.pop_all()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise BadInput(_ELSEWHERE.format(path)) from error
        raise WorkFailed(f"cannot write {path}: {error.strerror or error}") from error
    lost = "" if kept == num_bytes else f"{path} is shorter than the checkpoint says: some of its lines are lost"
    return file, lost


def _whole_lines(descriptor: int, num_bytes: int) -> int:
    """How many of the first `num_bytes` are whole lines."""
    first = max(0, num_bytes - LONGEST_LINE)
    return first + os.pread(descriptor, num_bytes - first, first).rfind(b"\n") + 1
