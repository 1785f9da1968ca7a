"""Processes that torchrun started, as `Ranks`: how they find each other, and how they end together.

Tensors go through torch's process group: gloo, and NCCL between GPUs. Why a rank ended is left with torchrun's store,
which outlives it; a connection that breaks says only that it did.
"""

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from jaxtyping import UInt8
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from sparsine.counted import counted
from sparsine.errors import BadInput, WorkFailed
from sparsine.meta.ranks import RankLost, Ranks
from sparsine.torchrun import local_rank

LAST_WORDS_SECONDS = 3.0
"""That is waited for what others have to say when one has ended. torchrun waits thirty before it kills."""


BROKEN = "ended without a word: it was killed, or its machine or the network is lost"
LATE = "does not answer: waited for {:g} s (--rank-timeout)"


GATHER = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
"""Which is its earlier name, until torch 2.12."""


class ToldToEnd(KeyboardInterrupt):
    """By SIGTERM: another rank ended, or the job is over."""


@contextlib.contextmanager
def connected(ranks: "RankGroup", device: str) -> Iterator[None]:
    """Inside, `ranks` can send each other messages. Whatever ends one of them ends all, and the first one raises what
    the one raised that had the error.

    Args:
        device: cuda takes the GPU with the number of the rank on its machine.

    Raises:
        BadInput: there is no such device, or not one for each rank; another rank had bad input.
        RankLost: another rank ended, or does not answer.
        WorkFailed: another rank failed.
        KeyboardInterrupt: it was interrupted, here or there.
    """
    with _once_interrupted(ranks):
        try:
            ranks.connect(device)
            yield
            ranks.leave("done")
        except (RankLost, ToldToEnd) as error:
            ranks.leave("lost")
            _disconnect()  # so that all others see it, too
            ranks.explain(error)
        except BaseException as error:
            ranks.leave(_how(error), str(error))
            raise
        finally:
            _disconnect()


class RankGroup(Ranks):
    """One of the processes that torchrun started."""

    def __init__(self, timeout: float):
        """Raises WorkFailed where torchrun's store cannot be reached in `timeout` seconds."""
        self._timeout, self._told, self._left, self.is_ending = timeout, 0, False, False
        try:
            store, self.number, self.count = next(iter(rendezvous("env://", timeout=timedelta(seconds=timeout))))
        except (RuntimeError, ValueError) as error:
            place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
            raise WorkFailed(
                f"rank {os.environ['RANK']} cannot reach the others at {place} ({str(error).splitlines()[0]}); start "
                "all of them by torchrun, with one --rdzv-endpoint"
            ) from error
        self.on_this_machine = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
        self._store: Any = dist.PrefixStore(f"sparsine/{_attempt()}", store)  # type: ignore[attr-defined]

    def connect(self, device: str) -> None:
        """Raises BadInput where this rank cannot compute on `device`; RankLost where another one does not come."""
        backend = _backend_for(device)
        self._say(f"here/{self.number}", True)
        self._wait_for_all()
        limit = timedelta(seconds=self._timeout)
        with self._in_time():
            dist.init_process_group(
                backend, store=self._store, rank=self.number, world_size=self.count, timeout=limit
            )  # fmt: skip

    def _wait_for_all(self) -> None:
        """Here and not in the process group, which can neither be interrupted nor told that a rank has ended."""
        until, missing = time.monotonic() + self._timeout, list(range(self.count))
        while missing := [rank for rank in missing if not self._read(f"here/{rank}")]:
            if any(self._read(f"ended/{rank}") for rank in missing):
                raise RankLost(BROKEN)
            if time.monotonic() > until:
                raise RankLost(LATE.format(self._timeout))
            time.sleep(0.02)

    def gathered(self, mine: UInt8[Tensor, " bytes"], sizes: list[int]) -> list[UInt8[Tensor, " bytes_of_a_rank"]]:
        longest = max(sizes)
        padded = mine.new_zeros(longest)
        padded[: len(mine)] = mine
        found = mine.new_empty(self.count, longest)
        with self._in_time():
            GATHER(found.view(-1), padded)
        return [row[:size] for row, size in zip(found, sizes, strict=True)]

    def from_first(self, said: bytes) -> bytes:
        length = torch.tensor([len(said)])
        with self._in_time():
            dist.broadcast(length, src=0)
            words = _as_tensor(said) if self.number == 0 else torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(words, src=0)
        return words.numpy().tobytes()

    def from_all(self, said: bytes) -> list[bytes]:
        lengths = self.gathered(torch.tensor([len(said)]).view(torch.uint8), [8] * self.count)
        words = self.gathered(_as_tensor(said), [int(length.view(torch.int64)) for length in lengths])
        return [row.numpy().tobytes() for row in words]

    def tell(self, unreadable: dict[str, str]) -> None:
        if self.number and len(unreadable) > self._told:
            self._told = len(unreadable)
            self._say(f"unreadable/{self.number}", unreadable)

    def told(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for rank in range(1, self.count):
            found |= self._read(f"unreadable/{rank}") or {}
        return found

    def leave(self, how: str, why: str = "") -> None:
        """Say how this rank ends; what was said first stays."""
        self.is_ending = True
        if not self._left:
            self._left = True
            self._say(f"ended/{self.number}", {"how": how, "why": why})

    def explain(self, error: BaseException) -> NoReturn:
        """Raise what other ranks said that ended, and where none said anything which one it was."""
        words = self._last_words()
        told = [f"rank {rank}: {said['why']}" for rank, said in words.items() if said["how"] in ("bad input", "failed")]
        if told:
            kind = BadInput if any(said["how"] == "bad input" for said in words.values()) else WorkFailed
            raise kind("; ".join(told[:3])) from error
        silent = [rank for rank in range(self.count) if rank not in words and rank != self.number]
        if any(said["how"] == "interrupted" for said in words.values()) or not (silent or isinstance(error, RankLost)):
            raise KeyboardInterrupt from error
        which = f"rank {', '.join(map(str, silent[:8]))}" if silent else "another rank"
        raise RankLost(f"{which} {error if isinstance(error, RankLost) else BROKEN}") from error

    def speaks(self) -> bool:
        """Whether it is for this rank to tell people of an error: for the first one that has not vanished."""
        return self.number == 0 or not any(rank < self.number for rank in self._last_words(only_before=True))

    def _last_words(self, only_before: bool = False) -> dict[int, dict[str, str]]:
        """What the others said when they ended, by rank; of those that say nothing in time, nothing."""
        others = range(self.number) if only_before else [rank for rank in range(self.count) if rank != self.number]
        until, found = time.monotonic() + LAST_WORDS_SECONDS, dict[int, dict[str, str]]()
        while True:
            found |= {rank: said for rank in others if rank not in found and (said := self._read(f"ended/{rank}"))}
            if len(found) == len(others) or time.monotonic() > until or (only_before and found):
                return found
            time.sleep(0.05)

    def _say(self, key: str, what: Any) -> None:
        if self._store is not None:
            with self._if_there():
                self._store.set(key, json.dumps(what))

    def _read(self, key: str) -> Any:
        """None where nothing was said under it."""
        if self._store is not None:
            with self._if_there():
                return json.loads(self._store.get(key)) if self._store.check([key]) else None
        return None

    @contextlib.contextmanager
    def _if_there(self) -> Iterator[None]:
        """The store may have ended, too; then nothing is said or heard any more."""
        try:
            yield
        except RuntimeError:
            self._store = None

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """A message that does not come through says that a rank is lost."""
        began = time.monotonic()
        try:
            yield
        except RuntimeError as error:
            self.leave("lost")
            late = time.monotonic() - began > 0.9 * self._timeout
            raise RankLost(LATE.format(self._timeout) if late else BROKEN) from error


def _attempt() -> str:
    """Of torchrun to start these ranks: nothing that was said in an earlier one is heard. With several machines there
    is a new store for each, and the machines may count differently."""
    alone = os.environ.get("GROUP_WORLD_SIZE", "1") == "1"
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") if alone else "0"


def _backend_for(device: str) -> str:
    """Who carries messages. Raises BadInput where this rank has no such device to itself."""
    if device == "cpu":
        return "gloo"
    if device != "cuda":
        raise BadInput(f"device is {device!r}, but each rank takes the GPU of its own number; say --device cuda or cpu")
    here, there = local_rank(), torch.cuda.device_count()
    if here >= there:
        asked = f"{os.environ.get('LOCAL_WORLD_SIZE', here + 1)} ranks on it"
        raise BadInput(
            f"this machine has {counted(there, 'GPU')} that can be used, but {asked} need one each: start fewer, or "
            "say --device cpu"
        )
    os.environ.setdefault("TORCH_NCCL_BLOCKING_WAIT", "1")  # else a rank that waits in vain is aborted by NCCL
    torch.cuda.set_device(here)
    return "cpu:gloo,cuda:nccl"


def _disconnect() -> None:
    if dist.is_initialized():
        with contextlib.suppress(RuntimeError):  # of a group that is broken anyway
            dist.destroy_process_group()


def _as_tensor(said: bytes) -> UInt8[Tensor, " bytes"]:
    return torch.frombuffer(bytearray(said), dtype=torch.uint8) if said else torch.empty(0, dtype=torch.uint8)


def _how(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return "bad input" if isinstance(error, BadInput) else "failed"


@contextlib.contextmanager
def _once_interrupted(ranks: RankGroup) -> Iterator[None]:
    """SIGINT and SIGTERM interrupt, but nothing that is ending already: torchrun sends them to all when one has ended,
    and the last checkpoint must be written whole."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: Any) -> None:
        if not ranks.is_ending:
            ranks.is_ending = True
            raise ToldToEnd if number == signal.SIGTERM else KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
