"""Work as tasks of a Ray cluster: few under way at a time, done again where a worker or a node is lost.

Ray's own retries are off. An item whose worker died is sent again; one that killed several is cut into parts, which are
tried on their own, so that of a batch only the guilty are given up, and everything else goes on.
"""

import errno
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from types import ModuleType
from typing import Any

from sparsine import plugins
from sparsine.errors import BadInput, NotEnoughMemory, WorkFailed
from sparsine.spread.contract import Executor, Given, Made, Work
from sparsine.spread.ray_worker import DiskFull, own_version

TRIES = 3
"""Of an item, or of a part of one, until it is given up."""
LOST_NODES = 10
"""That an item may have been on, which is no fault of its own."""
TASKS_PER_WORKER = 2
"""Under way: one that is worked on, and one that waits there."""
WAIT_SECONDS = 1.0
LOOK_SECONDS = 5.0
"""Between looks at how large the cluster is."""
_NO_ITEM: Any = object()


@dataclass(eq=False)
class _Try:
    """An item on its way."""

    item: Any
    deaths: int = 0
    """Of workers that had it."""
    lost: int = 0
    """Nodes that had it, or its result."""


class OnRay(Executor):
    """The workers of the cluster that this process has joined, a CPU each."""

    def __init__(self, ray: ModuleType) -> None:
        self.ray = ray
        self.num_deaths = 0
        """Workers and nodes that were lost while they had something of ours."""
        self._counted, self._at = 0, -LOOK_SECONDS

    @property
    def num_workers(self) -> int:
        """As many tasks as the cluster works on at a time now; nodes come and go."""
        if (now := time.monotonic()) - self._at >= LOOK_SECONDS:
            self._counted, self._at = int(self.ray.cluster_resources().get("CPU", 0)), now
        return self._counted

    @property
    def num_nodes(self) -> int:
        return sum(1 for node in self.ray.nodes() if node.get("Alive"))

    @property
    def num_readers(self) -> int:  # type: ignore[override]
        return max(2, min(16, self.num_workers // 2))

    def together(self, asked: int, count: int) -> int:
        return max(1, min(asked, count // (TASKS_PER_WORKER * max(1, self.num_workers))))

    def map(self, work: Work[Given, Made], items: Iterable[Given]) -> Iterator[Made]:
        """Raises BadInput, WorkFailed: the cluster or a worker cannot be used, or the work itself says so."""
        return _Flow(self, work).map(items)


class _Flow:
    """One `map`."""

    def __init__(self, executor: OnRay, work: Work[Any, Any]) -> None:
        self.executor, self.ray, self.work = executor, executor.ray, work
        self.under_way: dict[Any, _Try] = {}
        self.again: deque[_Try] = deque()
        self.key = token_hex(8)
        self.task = self.ray.remote(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")(_task())
        self.sent = {"files": self._put(plugins.loaded_files()), "work": self._put(work)}

    def map(self, items: Iterable[Any]) -> Iterator[Any]:
        coming, more = iter(items), True
        try:
            while more or self.again or self.under_way:
                while (more or self.again) and self._has_room():
                    if self.again:
                        self._send(self.again.popleft())
                    elif (item := next(coming, _NO_ITEM)) is _NO_ITEM:
                        more = False
                    elif (made := self.work.at_once(item)) is not None:
                        yield made
                    else:
                        self._send(_Try(item))
                    yield from self._done(0)  # reading may be slow: what is done need not wait for it
                yield from self._done(WAIT_SECONDS)
        finally:
            for reference in self.under_way:
                with suppress(Exception):
                    self.ray.cancel(reference, force=True)

    def _has_room(self) -> bool:
        return len(self.under_way) < TASKS_PER_WORKER * max(1, self.executor.num_workers)

    def _send(self, one: _Try) -> None:
        references = {**self.sent, "item": self._put(one.item)}
        self.under_way[self.task.remote(own_version(), self.key, references)] = one

    def _put(self, value: Any) -> Any:
        try:
            return self.ray.put(value)
        except (self.ray.exceptions.RayError, OSError) as error:
            raise WorkFailed(f"this machine cannot hold what goes to the workers: {_first_line(error)}") from error

    def _done(self, seconds: float) -> Iterator[Any]:
        if not self.under_way:
            return
        ready, _ = self.ray.wait(list(self.under_way), num_returns=1, timeout=seconds, fetch_local=True)
        for reference in ready:
            one = self.under_way.pop(reference)
            try:
                made = [self.ray.get(reference)]
            except self.ray.exceptions.RayError as error:
                made = self._failed(one, error)
            yield from made

    def _failed(self, one: _Try, error: Any) -> list[Any]:
        """What becomes of an item that could not be worked on, if that is known; else it is sent again."""
        if isinstance(cause := getattr(error, "cause", None), NotEnoughMemory):  # which another try would not change
            return self._cut(one, str(cause))
        why = self._why_lost(error)
        self.executor.num_deaths += 1
        if self._is_of_node(error):
            one.lost += 1
        else:
            one.deaths += 1
        if one.deaths < TRIES and one.lost < LOST_NODES:
            self.again.append(one)
            return []
        return self._cut(one, f"{why}, at each of {one.deaths + one.lost} tries")

    def _cut(self, one: _Try, why: str) -> list[Any]:
        """Its parts are sent, each with all of its tries; one that has none is given up."""
        if parts := self.work.parts(one.item):
            self.again.extend(map(_Try, parts))
            return []
        return [self.work.give_up(one.item, why)]

    def _why_lost(self, error: Any) -> str:
        """In words. Raises what the work, and not the cluster, is to blame for."""
        errors, cause = self.ray.exceptions, getattr(error, "cause", None)
        if isinstance(cause, BadInput | WorkFailed):
            raise cause from None
        if isinstance(cause, ImportError):
            node = getattr(error, "ip", "one of the nodes")
            raise BadInput(
                f"the worker on {node} has no sparsine {own_version()} ({cause}); install the same on all nodes"
            ) from None
        if isinstance(cause, DiskFull):
            return f"{cause.strerror}, which ended the work"
        if isinstance(error, errors.OutOfMemoryError) or isinstance(cause, MemoryError):
            return "its worker had not enough memory and was ended"
        if isinstance(error, errors.OutOfDiskError) or isinstance(cause, errors.OutOfDiskError):
            return "the disk of a node was full, which ended the work"
        if isinstance(error, errors.RayTaskError) and not isinstance(cause, errors.RayError):
            raise cause if isinstance(cause, Exception) else error
        return "its node was lost" if self._is_of_node(error) else "its worker died"

    def _is_of_node(self, error: Any) -> bool:
        errors = self.ray.exceptions
        return isinstance(error, errors.NodeDiedError | errors.LocalRayletDiedError | errors.ObjectLostError)


def _task() -> Callable[..., Any]:
    """A function that goes to workers as its code, so that one without this package, or with another, can say so."""

    def sparsine(version: str, key: str, references: dict[str, Any]) -> Any:
        import ray

        from sparsine.spread.ray_worker import run

        return run(ray, version, key, references)

    return sparsine


def _first_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "its disk is full"
    return (str(error).splitlines() or [type(error).__name__])[0]
