"""Reading ahead and writing behind: work that waits for files goes on beside the fitting, which takes batches of one
shape."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from math import prod
from typing import Any, TypeVar

from sparsine.codec.files.coded import CodedSignal
from sparsine.codec.files.reading import Loaded
from sparsine.memory import is_cpu

POINTS_TOGETHER, ON_A_GPU = 1 << 19, 1 << 22
"""A batch of large signals is smaller than asked for: more would not be faster, and more would be lost in a crash."""
POINTS_WAITING = 1 << 23
"""Of all signals that wait for others of their shape; then the largest group goes as it is. And of all that are read
ahead, unless it is one alone."""
Given = TypeVar("Given")
Made = TypeVar("Made")


def in_threads(
    pool: Executor,
    work: Callable[[Any], Made],
    items: Iterable[Given],
    window: int,
    *,
    first: Callable[[Given], Any] = lambda item: item,
    weigh: Callable[[Given], int] = lambda _: 0,
    room: int = 0,
) -> Iterator[Made]:
    """`work` of every item, in order. At most `window` are under way or waiting to be taken; `items` are asked for one
    by one, in this thread, so that a slow source and slow work go on at the same time.

    Args:
        first: done to an item in this thread, before `work`.
        weigh: of an item, before anything is done to it; those under way or waiting weigh no more than `room`, unless
            it is one alone.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> with ThreadPoolExecutor(2) as pool:
        ...     list(in_threads(pool, str, range(4), window=3))
        ['0', '1', '2', '3']
    """
    under_way: deque[tuple[Future[Made], int]] = deque()
    try:
        for item in items:
            weight = weigh(item)
            while under_way and weight + sum(each for _, each in under_way) > room:
                yield under_way.popleft()[0].result()
            under_way.append((pool.submit(work, first(item)), weight))
            if len(under_way) >= window:
                yield under_way.popleft()[0].result()
        while under_way:
            yield under_way.popleft()[0].result()
    finally:
        for future, _ in under_way:
            future.cancel()


def batches(
    items: Iterable[Loaded | CodedSignal], size: int, device: str = "cpu"
) -> Iterator[CodedSignal | list[Loaded]]:
    """Lists of at most `size` signals of one shape; what needs no encoding is passed on as it comes."""
    waiting: dict[tuple[int, ...], list[Loaded]] = {}
    for item in items:
        if isinstance(item, CodedSignal):
            yield item
            continue
        shape = item.values.shape
        waiting.setdefault(shape, []).append(item)
        if len(waiting[shape]) >= batch_size(shape[:-1], size, device):
            yield waiting.pop(shape)
        elif sum(map(_points, waiting.values())) > POINTS_WAITING:
            yield waiting.pop(max(waiting, key=lambda shape: _points(waiting[shape])))
    yield from waiting.values()


def batch_size(shape: tuple[int, ...], asked: int, device: str = "cpu") -> int:
    """How many signals of `shape` (samples along each axis) are fitted together."""
    return max(1, min(asked, (POINTS_TOGETHER if is_cpu(device) else ON_A_GPU) // prod(shape)))


def _points(group: list[Loaded]) -> int:
    return len(group) * prod(group[0].values.shape[:-1])
