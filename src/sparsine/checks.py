"""Refusals for numbers and words, worded alike everywhere."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, get_args

from sparsine.errors import BadInput, NotEnoughMemory
from sparsine.memory import free_memory, free_on, is_cpu


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raises BadInput unless low <= value <= high. NaN is refused."""
    if isinstance(value, bool) or not (low <= value <= high):
        raise BadInput(f"{name} is {value}, but it must lie between {low:g} and {high:g}")


def check_choice(name: str, value: str, allowed: Any) -> None:
    """Raises BadInput unless `value` is one of a Literal's words, or of a collection's."""
    words = get_args(allowed) or allowed
    if value not in words:
        raise BadInput(f"{name} is {value!r}, but it must be {one_of(words)}")


def one_of(words: Iterable[str]) -> str:
    """'one of: adam, sgd'."""
    return f"one of: {', '.join(words)}"


class OneOf:
    """Marks a text, by `Annotated`, as a word of some collection; of a registry that may grow, as it is when asked.

    Example:
        >>> score: Annotated[str, OneOf(SCORES)] = "magnitude"
    """

    def __init__(self, words: Collection[str], *also: str):
        self._words, self._also = words, also

    @property
    def words(self) -> tuple[str, ...]:
        """`also` first."""
        return (*self._also, *self._words)


@dataclass(frozen=True, eq=False)
class Known:
    """Marks a text, by `Annotated`, that may begin with one of some words: help tells them, as they are when asked."""

    words: Callable[[], Iterable[str]]


class Named:
    """Marks a field, by `Annotated`, whose option has another name than the field, and names it had before: these are
    understood, and shown nowhere.

    Example:
        >>> signals: Annotated[int, Named("limit", "signals")] = 16
    """

    def __init__(self, name: str, *before: str):
        self.name, self.before = name, before


def check_memory(what: str, num_bytes: int, advice: str, device: str = "cpu") -> None:
    """Raises NotEnoughMemory when `num_bytes` is more than this process may take, or a GPU has free: better a line now
    than a kill later."""
    free = free_memory() if is_cpu(device) else free_on(device)
    if num_bytes > free.num_bytes:
        raise NotEnoughMemory(
            f"{what} would need about {num_bytes / 2**30:,.1f} GiB of memory, but {free.whose} "
            f"{free.num_bytes / 2**30:,.1f}; {advice}"
        )
