"""Which signals train, which are held out. The same seed gives the same answer on every machine."""

from collections.abc import Sequence
from hashlib import sha256

MAX_HELD_OUT = 100
HELD_OUT_FRACTION = 0.1


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
    """How many training signals validate where a data set has no validation split: min(100, 10 %), at least one."""
    return min(MAX_HELD_OUT, tenth(num_names))
