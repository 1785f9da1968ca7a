"""Ranks: processes that learn one start together, each some of the tasks of every outer step.

Nothing is summed on the way from one rank to another. What a rank found for each of its tasks goes to all of them, and
every rank sums it by the operations of one process, in the order of the tasks: so the bits are those of one process,
whatever the number of ranks. A sum on the way would make a shorter message for many ranks, but every number of ranks
would have bits of its own (docs/many-machines.md says what that is worth).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import starmap

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from sparsine.errors import WorkFailed

STAMP_BYTES = 8
"""Of the checksum at the head of every message."""


class RankLost(WorkFailed):
    """Another rank does not answer any more; nothing of that step was kept."""


class Ranks:
    """One process by itself; those that work with others answer more (rank_group.py)."""

    number: int = 0
    """Of this rank. The first one, 0, keeps the folder of the run, and speaks."""
    count: int = 1
    on_this_machine: int = 1

    def share(self, total: int) -> "Share":
        """What this rank does of `total` tasks."""
        return Share(self, total)

    def gathered(self, mine: UInt8[Tensor, " bytes"], sizes: list[int]) -> list[UInt8[Tensor, " bytes_of_a_rank"]]:
        """The bytes of every rank, which are `sizes`. Raises RankLost where one does not answer."""
        return [mine]

    def from_first(self, said: bytes) -> bytes:
        """What the first rank says to all; what others give here is not heard. Raises RankLost."""
        return said

    def from_all(self, said: bytes) -> list[bytes]:
        """What every rank says, in their order. Raises RankLost."""
        return [said]

    def tell(self, unreadable: dict[str, str]) -> None:
        """Let the first rank know which signals could not be read here."""

    def told(self) -> dict[str, str]:
        """What others told."""
        return {}

    def speaks(self) -> bool:
        """Whether it is for this rank to tell people of an error."""
        return True


ALONE = Ranks()


@contextmanager
def more_threads(times: int) -> Iterator[None]:
    """Inside, there are so many times as many, as far as there are cores: no engine has other bits for that."""
    before = torch.get_num_threads()
    if times > 1:
        torch.set_num_threads(min(times * before, os.cpu_count() or 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Share:
    """Neighbours among `total` tasks that one rank does. Where the tasks cannot be shared out evenly, the first ranks
    have one less: the very first has the folder of the run to look after."""

    ranks: Ranks
    total: int

    @property
    def is_all(self) -> bool:
        """Whether there is nobody to share with."""
        return self.ranks.count == 1

    @property
    def part(self) -> slice:
        """The tasks of this rank."""
        return self._part(self.ranks.number)

    def gathered(self, same: Tensor, *mine: Tensor) -> list[Tensor]:
        """What all ranks found, (total, ...) in the order of the tasks, from what this one found, (tasks of its part,
        ...): in one message.

        Args:
            same: numbers that every rank must have alike; their checksum goes with the message.

        Raises:
            RankLost: another rank does not answer.
            WorkFailed: `same` is not the same everywhere.
        """
        counts = [part.stop - part.start for part in map(self._part, range(self.ranks.count))]
        sizes = [[STAMP_BYTES, *(count * _row_bytes(found) for found in mine)] for count in counts]
        message = torch.cat([_bytes(found) for found in (checksum(same), *mine)])
        said = self.ranks.gathered(message, [sum(parts) for parts in sizes])
        stamps, *found = zip(*starmap(torch.split, zip(said, sizes, strict=True)), strict=True)
        _check_same(torch.cat(stamps).view(torch.int64).tolist())
        return [
            torch.cat(parts).view(like.dtype).view(self.total, *like.shape[1:])
            for parts, like in zip(found, mine, strict=True)
        ]

    def _part(self, rank: int) -> slice:
        count = self.ranks.count
        return slice(rank * self.total // count, (rank + 1) * self.total // count)


def checksum(numbers: Tensor) -> Int64[Tensor, " one"]:
    """Another one if a single number is another."""
    words = torch.int32 if numbers.element_size() == 4 else torch.int64
    return numbers.contiguous().view(words).sum(dtype=torch.int64).reshape(1)


def _bytes(numbers: Tensor) -> UInt8[Tensor, " bytes"]:
    return numbers.contiguous().flatten().view(torch.uint8)


def _row_bytes(rows: Tensor) -> int:
    return rows[0].numel() * rows.element_size()


def _check_same(stamps: list[int]) -> None:
    if others := [rank for rank, stamp in enumerate(stamps) if stamp != stamps[0]]:
        raise WorkFailed(
            f"rank {others[0]} has other numbers than rank 0 has: their machines compute differently, or one has a "
            "fault; go on with --resume on machines that are alike"
        )
