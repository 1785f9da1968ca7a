"""What runs in a worker of a Ray cluster: the same package as that of who sends the work, or nothing.

A worker is given references, and fetches what is behind them only once it is sure to be of the same version.
"""

import errno
import hashlib
import socket
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from sparsine import plugins
from sparsine.errors import BadInput
from sparsine.spread.contract import Work
from sparsine.version import __version__

_works: dict[str, Work[Any, Any]] = {}
"""The one that this process does now, by its key."""


class DiskFull(OSError):
    """The disk of a worker's node holds no more."""


@lru_cache(maxsize=1)
def own_version() -> str:
    """Of the package: what it calls itself, and what its Python sources are."""
    folder, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return f"{__version__} ({digest.hexdigest()[:12]})"


def run(ray: Any, version: str, key: str, references: dict[str, Any]) -> Any:
    """What `work` makes of `item`; `references` lead to both and to the files that were loaded (plugins.py)."""
    if own_version() != version:
        raise BadInput(
            f"the worker on {socket.gethostname()} has sparsine {own_version()}, but the work was sent by {version}; "
            "install the same on all nodes"
        )
    if key not in _works:
        for file in ray.get(references["files"]):
            plugins.load(file)
        work = ray.get(references["work"])
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(1)  # a task has one CPU
        work.set_up()
        _works.clear()
        _works[key] = work
    try:
        return _works[key](ray.get(references["item"]))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(error.errno, f"the disk of {socket.gethostname()} is full") from error
