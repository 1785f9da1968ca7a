"""Which signals train, which are held out. The same seed gives the same answer on every machine."""

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from sparsine.errors import BadInput

SPELLINGS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
"""What folders of a split are called, in any case of letters."""
T = TypeVar("T")
MAX_HELD_OUT = 100
HELD_OUT_FRACTION = 0.1


def split_folders(folder: Path) -> dict[str, str]:
    """The names of the sub-folders that are splits, by split.

    Raises:
        BadInput: two folders for one split.
    """
    found: dict[str, str] = {}
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir())
    for name in names:
        split = next((split for split, names in SPELLINGS.items() if name.lower() in names), None)
        if split in found:
            raise BadInput(
                f"{folder} holds two folders for the {split} split, {found[split]} and {name}; put all into one"
            )
        if split is not None:
            found[split] = name
    return found


def hold_out(names: Sequence[str], count: int, seed: int) -> tuple[list[str], list[str]]:
    """(kept, held): `count` names taken out by seed, both lists in sorted order.

    The order is that of a hash of seed and name, which no library version can change.
    """
    ranked = sorted(names, key=lambda name: sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest())
    return sorted(ranked[count:]), sorted(ranked[:count])


def tenth(num_names: int) -> int:
    """A tenth of the names, at least one."""
    return max(1, round(num_names * HELD_OUT_FRACTION))


def validation_count(num_names: int) -> int:
    """How many training signals validate where a data set has no validation split: min(100, 10 %), at least one. One
    alone trains."""
    return min(MAX_HELD_OUT, tenth(num_names)) if num_names > 1 else 0


def in_time(parts: Sequence[T]) -> dict[str, list[T]] | None:
    """Parts of one recording, one after the other: the last tenth tests, the one before it validates. None where there
    are too few to hold any out."""
    if len(parts) < len(SPELLINGS):
        return None
    held = tenth(len(parts))
    rest = list(parts[: -2 * held] or parts[:1])
    return {"train": rest, "val": list(parts[-2 * held : -held]), "test": list(parts[-held:])}
