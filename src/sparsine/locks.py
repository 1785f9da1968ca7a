"""Locks that a module has for all of its users, and forks."""

import os
from typing import Any, TypeVar

AnyLock = TypeVar("AnyLock", bound=Any)


def kept_over_forks(lock: AnyLock) -> AnyLock:
    """`lock`, taken around every fork from now on: no child finds it taken for ever by a thread that only its parent
    has, nor what it guards half done."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
