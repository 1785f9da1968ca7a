"""A cache that never outgrows its room."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

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
        self.room, self.weigh, self.used = room, weigh, 0
        self._values: OrderedDict[Hashable, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value at `key`, made if it is not there; what `make` raises is not kept."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = make()
        self._values[key] = value
        self.used += self.weigh(value)
        while self.used > self.room and self._values:
            _, oldest = self._values.popitem(last=False)
            self.used -= self.weigh(oldest)
        return value
