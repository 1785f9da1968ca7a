"""One piece of work at a time: the engine uses all cores for each. What people look at goes before thumbnails."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from itertools import count
from typing import TypeVar

from sparsine.viewer.errors import Busy, Stopped

T = TypeVar("T")


class Rank(IntEnum):
    """Who goes first."""

    FACTS = 0
    VIEW = 1
    THUMBNAIL = 2


class WorkQueue:
    """Work waits in the order of its rank, then of its arrival, and is dropped when nobody waits for it any more."""

    def __init__(self, max_waiting: int) -> None:
        self.max_waiting = max_waiting
        self._waiting: list[tuple[int, int, bool, asyncio.Future[None]]] = []
        self._arrivals = count()
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="drawing")

    async def run(
        self, rank: Rank, work: Callable[[], T], gone: Callable[[], Awaitable[None]], *, admitted: bool = False
    ) -> T:
        """What `work` returns, computed in a thread of its own. Work that has not begun when `gone` returns never
        begins. It should be short: nothing stops it.

        Args:
            admitted: it goes on with something that had its turn, so it waits however many do, and is no hindrance.

        Raises:
            Busy: too many are waiting.
            Stopped: `gone` came first.
        """
        watch = asyncio.ensure_future(gone())
        turn = asyncio.ensure_future(self._turn(rank, admitted))
        try:
            await asyncio.wait({turn, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():
                raise Stopped("nobody waits for this any more")
            turn.result()
            return await self._finished(work)
        finally:
            watch.cancel()
            if not turn.done():
                turn.cancel()
            elif not turn.cancelled() and turn.exception() is None:
                self._next()

    async def _finished(self, work: Callable[[], T]) -> T:
        # shielded: when this task is cancelled the thread is still at work, and the turn ends only after it
        working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait({working})
            raise

    async def _turn(self, rank: Rank, admitted: bool) -> None:
        if not self._busy:
            self._busy = True
            return
        self._waiting = [entry for entry in self._waiting if not entry[-1].done()]
        if not admitted and sum(not entry[2] for entry in self._waiting) >= self.max_waiting:
            raise Busy("too many drawings are waiting; ask again in a moment")
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heapify(self._waiting)
        heapq.heappush(self._waiting, (rank, next(self._arrivals), admitted, mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # the turn had just come
                self._next()
            raise

    def _next(self) -> None:
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False
