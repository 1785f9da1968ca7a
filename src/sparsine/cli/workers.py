"""Who works on many signals: this process, or a Ray cluster where `--ray` asks for one."""

from collections.abc import Iterator
from contextlib import contextmanager

from sparsine.cli.console import counted, say, say_notes
from sparsine.errors import BadInput
from sparsine.spread.contract import Executor, Here
from sparsine.spread.ray_address import RayAddress
from sparsine.spread.ray_cluster import ray_cluster


@contextmanager
def workers(address: RayAddress | None, device: str) -> Iterator[Executor]:
    """Says who they are, and at the end how many of them were lost.

    Raises:
        BadInput: as `ray_cluster` does; or a GPU is wanted of one.
    """
    if address is None:
        yield Here()
        return
    if device != "cpu":
        raise BadInput(f"workers of a Ray cluster compute on CPUs, but --device is {device}; leave out one of the two")
    with ray_cluster(address) as executor:
        say(("on Ray", "bold"), f" ({address}): {counted(executor.num_workers, 'CPU')} of "
            f"{counted(executor.num_nodes, 'node')}")  # fmt: skip
        yield executor
        if executor.num_deaths:
            lost = counted(executor.num_deaths, "worker was", "workers were")
            say_notes([f"{lost} lost on the way; what they had was done again"])
