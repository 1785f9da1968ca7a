"""Seconds and peak memory of a piece of work."""

import ctypes
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

PROC = Path("/proc/self")
# Before every run, so that no way computes beside threads of the other one that still spin.
PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Measurement:
    """One run of one way."""

    seconds: float
    """Wall time."""
    result: Any
    """What the work returned."""


def timed(work: Callable[[], Any]) -> Measurement:
    """Run `work` once, and wait for the GPU where it computes on one."""
    _finish()
    began = time.perf_counter()
    result = work()
    _finish()
    return Measurement(time.perf_counter() - began, result)


def interleaved(ways: Sequence[Callable[[], Any]], repeats: int) -> list[list[Measurement]]:
    """The runs of every way, taken in turns, so that a slow spell of the machine meets all. Only the last run of each
    keeps its result."""
    runs: list[list[Measurement]] = [[] for _ in ways]
    for _ in range(repeats):
        for way, done in zip(ways, runs, strict=True):
            if done:
                done[-1] = replace(done[-1], result=None)
            time.sleep(PAUSE_SECONDS)
            done.append(timed(way))
    return runs


def peak_bytes(work: Callable[[], Any]) -> int | None:
    """Run `work` once: growth of the peak resident set over its value just before; None where the system does not
    count it so. Freed memory goes back to the system first, so that what the work takes is seen. That slows the work
    down, so this is no run to take the time of."""
    before = _restart_peak()
    work()
    peak = _status_bytes("VmHWM")
    return None if before is None or peak is None else max(0, peak - before)


def cuda_peak_bytes(work: Callable[[], Any]) -> int:
    """Run `work` once: growth of the peak of the GPU's memory over what was taken just before."""
    _finish()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    work()
    _finish()
    return torch.cuda.max_memory_allocated() - before


def _finish() -> None:
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()


def _restart_peak() -> int | None:
    """Resident bytes now, from which the kernel's peak starts anew. Linux only."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    try:
        (PROC / "clear_refs").write_text("5")
    except OSError:
        return None
    return _status_bytes("VmRSS")


def _status_bytes(name: str) -> int | None:
    try:
        lines = (PROC / "status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)
