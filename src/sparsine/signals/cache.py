"""Keeps recently loaded signals in memory."""

import multiprocessing
import os
from threading import Lock
from typing import Any, final

import numpy as np
from cachetools import LRUCache
from jaxtyping import Float

from sparsine.lazy import cached_property
from sparsine.locks import kept_over_forks
from sparsine.memory import free_memory
from sparsine.signals.dataset import SignalSet, check_index

DEFAULT_CACHE_BYTES = 1 << 30
"""At most, in a process that works alone."""
PART_OF_FREE = 8
"""Nor more than this part of the memory that is free when a set is first read."""
_LOCK = kept_over_forks(Lock())
"""One for all, and never held while reading."""


@final
class Cached(SignalSet):
    """Another set, with its most recently used signals held in memory, at most `max_bytes` of them; without a number,
    a part of what is free in the process that reads. Processes that work side by side share that part.

    May be used from several threads. What is handed out is a copy, so that a caller who writes into it changes
    nothing here. Failures are not remembered: an unreadable file is tried again.
    """

    def __init__(self, inner: SignalSet, max_bytes: int | None = None) -> None:
        self._inner = inner
        self.recipe, self.notes, self.fingerprint_loads = inner.recipe, inner.notes, inner.fingerprint_loads
        self._given_bytes = max_bytes

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies begin empty: they read for themselves."""
        return Cached, (self._inner, self._given_bytes)

    @property
    def uncached(self) -> SignalSet:
        """The set itself, for those who keep of it what they need."""
        return self._inner

    def __len__(self) -> int:
        return len(self._inner)

    def name(self, index: int) -> str:
        return self._inner.name(index)

    def load(self, index: int) -> Float[np.ndarray, "*axes channels"]:
        check_index(index, len(self))
        held = self._held  # looks at what is free at first, which needs no lock
        with _LOCK:
            values: np.ndarray | None = held.get(index)
        if values is not None:
            return values.copy()
        # Read outside the lock: threads that ask for other signals need not wait for this one.
        values = self._inner.load(index)
        return values.copy() if self._keep(index, values) else values

    def shape_of(self, index: int) -> tuple[int, ...] | None:
        return self._inner.shape_of(index)

    def about(self, index: int) -> dict[str, Any]:
        return self._inner.about(index)

    def fingerprint(self, index: int) -> str:
        return self._inner.fingerprint(index)

    @cached_property
    def _held(self) -> "LRUCache[int, np.ndarray]":
        """The signals that were used last, at their bytes."""
        return LRUCache(_room() if self._given_bytes is None else self._given_bytes, getsizeof=lambda held: held.nbytes)

    def _keep(self, index: int, values: np.ndarray) -> bool:
        """Whether these are now held, so that nobody else may have them."""
        held = self._held
        with _LOCK:
            if index in held or values.nbytes > held.maxsize:
                return False
            held[index] = values
            return True


def _room() -> int:
    """Bytes for one set. A process that another one began is taken for one of as many as there are cores."""
    beside = 1 if multiprocessing.parent_process() is None else os.cpu_count() or 1
    return min(DEFAULT_CACHE_BYTES, free_memory().num_bytes // PART_OF_FREE) // beside
