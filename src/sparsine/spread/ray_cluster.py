"""A Ray cluster for as long as it is needed: joined where one runs, else started on this machine and ended again.

Nothing leaves the machines of the cluster: no usage statistics, no dashboard. A local cluster takes orders from this
process alone (a token of its own), keeps its files in a temporary folder and ends with us, however we end.
"""

import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sparsine.errors import BadInput, WorkFailed
from sparsine.extras import optional
from sparsine.spread.ray_address import RayAddress, check_reachable, ray_address
from sparsine.spread.ray_tasks import OnRay

STORE_BYTES = 1 << 28
"""Of a local cluster, for what is on its way to a worker or back."""
LONGEST_FOLDER = 30
"""Letters: Ray puts sockets below it, whose whole names may have 107."""


@contextmanager
def ray_cluster(address: RayAddress | str = "local") -> Iterator[OnRay]:
    """An executor whose workers are those of a cluster. Where this process has joined one already (`ray.init`), it is
    that one.

    Args:
        address: HOST:PORT, ray://HOST:PORT, "auto" (the cluster that this machine is a part of), "local" (one of its
            own) or "local:N" (of N workers).

    Raises:
        BadInput: the extra is missing, the address is none, or nothing there can be joined.
    """
    address = ray_address(address) if isinstance(address, str) else address
    with _environment(address):  # which Ray reads when it is imported
        ray = optional("ray", "ray", "work is spread by Ray")
        if ray.is_initialized():
            yield _executor(ray)
            return
        with _temporary_folder() as folder, _quiet(ray):
            yield from _joined(ray, address, folder)


def _joined(ray: ModuleType, address: RayAddress, folder: str) -> Iterator[OnRay]:
    try:
        _join(ray, address, folder)
        yield _executor(ray)
    finally:
        ray.shutdown()


def _join(ray: ModuleType, address: RayAddress, folder: str) -> None:
    options: dict[str, Any] = dict(log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=False)
    if address.is_local:
        options |= dict(num_cpus=address.num_workers, include_dashboard=False, object_store_memory=STORE_BYTES,
                        _temp_dir=folder)  # fmt: skip
    else:
        check_reachable(address, os.environ)
    try:
        ray.init(address=address.text, **options)
    except (Exception, SystemExit) as error:
        lines = str(error).splitlines() or [type(error).__name__]
        what = "no Ray cluster could be started here" if address.is_local else f"cannot join the cluster at {address}"
        raise WorkFailed(f"{what}: {lines[0]}") from error


def _executor(ray: ModuleType) -> OnRay:
    if not (executor := OnRay(ray)).num_workers:
        raise BadInput("the Ray cluster has no CPU to work with; add a node to it")
    return executor


@lru_cache(maxsize=1)
def _token() -> str:
    """Who knows it may use our local clusters. Ray reads it once in a process."""
    return secrets.token_hex(32)


@contextmanager
def _environment(address: RayAddress) -> Iterator[None]:
    """What Ray asks its environment for; what a user says there stays."""
    own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_SCHEDULER_EVENTS": "0", "RAY_IGNORE_UNHANDLED_ERRORS": "1"}
    ours = "ray" not in sys.modules or bool(_token.cache_info().currsize)
    if address.is_local and ours and not any(name.startswith("RAY_AUTH_") for name in os.environ):
        own |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _token()}
    new = {name: value for name, value in own.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def _quiet(ray: ModuleType) -> Iterator[None]:
    """Ray prints a paragraph to standard output for each worker that dies; we count them."""
    module: Any = getattr(getattr(ray, "_private", None), "worker", None)
    usual = getattr(module, "print_to_stdstream", None)
    if usual is not None:
        module.print_to_stdstream = lambda *args, **options: None
    try:
        yield
    finally:
        if usual is not None:
            module.print_to_stdstream = usual


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Where such folders usually lie, unless that name is too long for sockets."""
    usual = tempfile.gettempdir()
    above = usual if len(usual) <= LONGEST_FOLDER or not Path("/tmp").is_dir() else "/tmp"
    return tempfile.TemporaryDirectory(prefix="sparsine-", dir=above, ignore_cleanup_errors=True)
