"""How much memory this process may still take, whoever sets the bound; and whether it was refused some."""

import os
import re
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_NO_LIMIT = 1 << 60
"""From here on a number of bytes is how a control group of version 1 writes that it has no limit."""
_REFUSED = re.compile(r"out of memory|can't allocate memory|not enough memory|cannot allocate", re.IGNORECASE)


class Room(NamedTuple):
    """Bytes, and whose bound they are."""

    num_bytes: int
    whose: str


def free_memory() -> Room:
    """The least of what the machine has free, what the control groups of this process leave, and what `ulimit` does.

    Where the system has none of these (macOS), it is all the memory that there is.
    """
    found = [*_of_machine(), *_of_control_groups(), *_of_ulimit()]
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(found, default=Room(pages, "this machine has"))


def is_cpu(device: str) -> bool:
    """Whether "cpu" or "cuda:1" is the memory of this machine itself."""
    return device.partition(":")[0] == "cpu"


def free_on(device: str) -> Room:
    """What a GPU's driver has free, and what torch holds of it without need; for devices that cannot be asked, what the
    machine has."""
    if device.partition(":")[0] != "cuda":
        return free_memory()
    import torch  # slow to import, and not needed to ask for the machine's own

    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return Room(torch.cuda.mem_get_info(device)[0] + unused, f"{device} has free")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation was refused: NumPy and Pillow say MemoryError, torch a RuntimeError."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_REFUSED.search(str(error))))


def _of_machine() -> Iterator[Room]:
    """What can be had without swapping: free pages, and caches that the system would give up."""
    for line in _text(PROC / "meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            yield Room(1024 * int(line.split()[1]), "this machine has free")


def _of_control_groups() -> Iterator[Room]:
    """Containers and batch systems bound a process so. Every group above bounds it, too."""
    for line in _text(PROC / "self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            yield from _of_group(CGROUPS, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            yield from _of_group(CGROUPS / "memory", path, *names)


def _of_group(root: Path, path: str, limit_name: str, used_name: str, cache_name: str) -> Iterator[Room]:
    """`path` and its parents; in a container the root may be the group itself, under a path that is not seen here."""
    own = Path(path.strip("/"))
    for group in {root / own, *(root / parent for parent in own.parents), root}:
        limit, used = _number(group / limit_name), _number(group / used_name)
        if limit is None or used is None or limit >= _NO_LIMIT:
            continue
        caches = re.search(rf"^{cache_name} (\d+)$", _text(group / "memory.stat"), re.MULTILINE)
        yield Room(max(0, limit - used + (int(caches[1]) if caches else 0)), "its control group leaves")


def _of_ulimit() -> Iterator[Room]:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _text(PROC / "self/statm").split()
    if limit != resource.RLIM_INFINITY and pages:
        yield Room(max(0, limit - int(pages[0]) * os.sysconf("SC_PAGE_SIZE")), "ulimit -v leaves")


def _number(path: Path) -> int | None:
    """None where there is no such file, or where it says "max"."""
    with suppress(ValueError):
        return int(_text(path))
    return None


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return ""
