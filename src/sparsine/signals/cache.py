"""Keeps recently loaded signals in memory."""

import multiprocessing
import os
from collections import OrderedDict
from threading import Lock
from typing import Any, final

import numpy as np
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
        self._held: OrderedDict[int, np.ndarray] = OrderedDict()
        self._held_bytes = 0

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
        with _LOCK:
            values = self._held.get(index)
            if values is not None:
                self._held.move_to_end(index)
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
    def _max_bytes(self) -> int:
        return _room() if self._given_bytes is None else self._given_bytes

    def _keep(self, index: int, values: np.ndarray) -> bool:
        """Whether these are now held, so that nobody else may have them."""
        most = self._max_bytes
        with _LOCK:
            if index in self._held or values.nbytes > most:
                return False
            self._held[index] = values
            self._held_bytes += values.nbytes
            while self._held_bytes > most:
                self._held_bytes -= self._held.popitem(last=False)[1].nbytes
            return True


def _room() -> int:
    """Bytes for one set. A process that another one began is taken for one of as many as there are cores."""
    beside = 1 if multiprocessing.parent_process() is None else os.cpu_count() or 1
    return min(DEFAULT_CACHE_BYTES, free_memory().num_bytes // PART_OF_FREE) // beside
