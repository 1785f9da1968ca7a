"""Forked children can compute. The compiled engine sees to its own threads (csrc/pool.cpp); these are torch's."""

import ctypes
import os

import torch

_HARD = 2
"""omp_pause_hard: the threads end, and are made again where they are next needed."""


def make_forks_safe() -> None:
    """From now on a child that this process forks has torch's threads anew instead of waiting for those of its parent.

    GNU's OpenMP waits for ever in a child for threads that only the parent has, so it is told to end those of the
    forking thread first. One too old to be told leaves the child a single thread. Other OpenMPs look after forks.
    """
    runtime = _openmp()
    if not hasattr(os, "register_at_fork") or hasattr(runtime, "__kmpc_fork_call"):  # the latter: LLVM's and Intel's
        return
    if hasattr(runtime, "omp_pause_resource_all"):
        os.register_at_fork(before=lambda: runtime.omp_pause_resource_all(_HARD))
    elif hasattr(runtime, "GOMP_parallel"):
        os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def _openmp() -> ctypes.CDLL:
    """What torch is linked with, whatever its file is called."""
    return ctypes.CDLL(torch._C.__file__)
