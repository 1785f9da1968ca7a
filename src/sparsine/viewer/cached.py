"""Values that are kept while there is room for them."""

from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

from cachetools import LRUCache

V = TypeVar("V")


class Bounded(Generic[V]):
    """The values that were used last. Not for several threads at once.

    Example:
        >>> cache = Bounded[str](room=5, weigh=len)
        >>> cache.get("a", lambda: "abc"), cache.get("b", lambda: "def"), cache.get("b", lambda: "new")
        ('abc', 'def', 'def')
        >>> len(cache)  # six letters are more than its room
        1
    """

    def __init__(self, room: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self._values: LRUCache[Hashable, V] = LRUCache(room, getsizeof=weigh)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def used(self) -> int:
        """Of the room."""
        return int(self._values.currsize)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value at `key`, made if it is not there; what `make` raises is not kept, nor what is larger than all the
        room."""
        if key in self._values:
            found: V = self._values[key]
            return found
        value = make()
        with suppress(ValueError):  # too large
            self._values[key] = value
        return value
