"""Signals of any shapes in any order to batches of one shape, holding few of them in memory."""

from collections.abc import Iterable, Iterator
from math import prod

from sparsine.codec.coded import CodedSignal
from sparsine.codec.reading import Loaded

POINTS_TOGETHER = 1 << 19
"""A batch of large signals is smaller than asked for: more would not be faster, and more would be lost in a crash."""
POINTS_WAITING = 1 << 23
"""Of all signals that wait for others of their shape; then the largest group goes as it is."""


def batches(items: Iterable[Loaded | CodedSignal], size: int) -> Iterator[CodedSignal | list[Loaded]]:
    """Lists of at most `size` signals of one shape; what needs no encoding is passed on as it comes."""
    waiting: dict[tuple[int, ...], list[Loaded]] = {}
    for item in items:
        if isinstance(item, CodedSignal):
            yield item
            continue
        shape = item.values.shape
        waiting.setdefault(shape, []).append(item)
        if len(waiting[shape]) >= _together(shape, size):
            yield waiting.pop(shape)
        elif sum(map(_points, waiting.values())) > POINTS_WAITING:
            yield waiting.pop(max(waiting, key=lambda shape: _points(waiting[shape])))
    yield from waiting.values()


def _together(shape: tuple[int, ...], size: int) -> int:
    return max(1, min(size, POINTS_TOGETHER // prod(shape[:-1])))


def _points(group: list[Loaded]) -> int:
    return len(group) * prod(group[0].values.shape[:-1])
