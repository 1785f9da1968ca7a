"""What torchrun says to the processes that it starts, by their environment."""

import os

from sparsine.errors import BadInput

SAID = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def number_of_ranks() -> int:
    """As many as torchrun started; 1 without it.

    Raises:
        BadInput: the environment says something else than a number.
    """
    if not all(name in os.environ for name in SAID):
        return 1
    try:
        return int(os.environ["WORLD_SIZE"])
    except ValueError as error:
        raise BadInput(f"WORLD_SIZE is {os.environ['WORLD_SIZE']!r}, and no number; torchrun sets it") from error


def as_ranks(command: str) -> str:
    """The command `sparsine ...` as it is given to as many processes as there are."""
    count = number_of_ranks()
    if count == 1:
        return command
    many = f"--nproc-per-node {count}" if os.environ.get("LOCAL_WORLD_SIZE") == str(count) else "..."
    return f"torchrun {many} -m {command}"


def rank() -> int:
    """Of this process among all; 0 without torchrun."""
    return _number("RANK")


def local_rank() -> int:
    """Of this process among those on its machine; 0 without torchrun."""
    return _number("LOCAL_RANK")


def _number(name: str) -> int:
    said = os.environ.get(name, "0")
    return int(said) if number_of_ranks() > 1 and said.isdecimal() else 0
