"""How much memory a fit takes, asked before it begins; and what becomes of one that is refused it all the same."""

from collections.abc import Callable, Sequence
from math import prod
from typing import TypeVar

from sparsine.checks import check_memory
from sparsine.memory import free_memory, free_on, is_cpu, is_out_of_memory
from sparsine.starts.start import Start

VECTORS = 8
"""Of the length of theta for each signal: theta, gradient, Adam's moments, and what is made of them."""
NUMBERS_PER_POINT = 24
"""For each point of a signal: coordinates, values, what is made of them. Measured, on the large side."""
SMALLER = "bring it to a smaller size"
NOT_ENOUGH = f"there was not enough memory to fit it; {SMALLER}"
S = TypeVar("S")
F = TypeVar("F")


def check_room(
    start: Start, shape: Sequence[int], what: str, advice: str = SMALLER, *, signals: int = 1, device: str = "cpu"
) -> None:
    """Raises BadInput where signals of `shape` (samples along each axis) cannot be fitted together on `device`."""
    check_memory(what, signals * _num_bytes(start, shape), advice, device)


def most_together(start: Start, shape: Sequence[int], wanted: int, device: str = "cpu") -> int:
    """How many of the `wanted` signals memory holds at a time; at least one."""
    free = free_memory() if is_cpu(device) else free_on(device)
    return max(1, min(wanted, free.num_bytes // _num_bytes(start, shape)))


def with_less(fit: Callable[[Sequence[S]], Sequence[F]], signals: Sequence[S], give_up: Callable[[S], F]) -> list[F]:
    """`fit` of all signals together; one by one where memory does not hold them all, and `give_up` of each that it does
    not hold alone."""
    try:
        return list(fit(signals))
    except Exception as error:
        if not is_out_of_memory(error):
            raise
    if len(signals) == 1:
        return [give_up(signals[0])]
    return [fitted for signal in signals for fitted in with_less(fit, [signal], give_up)]


def _num_bytes(start: Start, shape: Sequence[int]) -> int:
    return 4 * (VECTORS * start.pattern.num_params + NUMBERS_PER_POINT * prod(shape))
