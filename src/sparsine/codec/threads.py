"""Reading ahead and writing behind: work that waits for files goes on beside the fitting."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

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
