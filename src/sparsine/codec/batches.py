"""Signals of any shapes in any order to batches of one shape, holding few of them in memory."""

from collections.abc import Iterable, Iterator
from math import prod

from sparsine.codec.coded import CodedSignal
from sparsine.codec.reading import Loaded

POINTS_TOGETHER = 1 << 19
"""A batch of large signals is smaller than asked for: more would not be faster, and more would be lost in a crash."""
POINTS_WAITING = 1 << 23
"""Of all signals that wait for others of their shape; then the largest group goes as it is. And of all that are read
ahead, unless it is one alone."""


def batches(items: Iterable[Loaded | CodedSignal], size: int) -> Iterator[CodedSignal | list[Loaded]]:
    """Lists of at most `size` signals of one shape; what needs no encoding is passed on as it comes."""
    waiting: dict[tuple[int, ...], list[Loaded]] = {}
    for item in items:
        if isinstance(item, CodedSignal):
            yield item
            continue
        shape = item.values.shape
        waiting.setdefault(shape, []).append(item)
        if len(waiting[shape]) >= batch_size(shape[:-1], size):
            yield waiting.pop(shape)
        elif sum(map(_points, waiting.values())) > POINTS_WAITING:
            yield waiting.pop(max(waiting, key=lambda shape: _points(waiting[shape])))
    yield from waiting.values()


def batch_size(shape: tuple[int, ...], asked: int) -> int:
    """How many signals of `shape` (samples along each axis) are fitted together."""
    return max(1, min(asked, POINTS_TOGETHER // prod(shape)))


def _points(group: list[Loaded]) -> int:
    return len(group) * prod(group[0].values.shape[:-1])
