"""What may follow the path of a data set: `FILE?NAME&key=value&...`, and parts of the axes of an array."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from sparsine.errors import BadInput
from sparsine.signals.paths import expanded


@dataclass(frozen=True)
class Options:
    """What was said behind the question mark."""

    name: str
    """Of one thing among several in the file; '' where nobody said which."""
    values: Mapping[str, str]
    """By key."""


def path_of(path: str) -> str:
    """The path alone. A file whose own name has a question mark is found by its whole name."""
    return path if "?" not in path or expanded(path).exists() else path.partition("?")[0]


def options_of(path: str, keys: Sequence[str]) -> Options:
    """What follows the path. Raises BadInput for another key than `keys`, for one twice, or for two names."""
    parts = [part for part in path[len(path_of(path)) + 1 :].split("&") if part]
    names, values = [part for part in parts if "=" not in part], dict[str, str]()
    for key, _, value in (part.partition("=") for part in parts if "=" in part):
        if key not in keys or key in values:
            why = "is said twice" if key in values else f"is not known; there are {', '.join(f'{k}=' for k in keys)}"
            raise BadInput(f"{key}= behind {path_of(path)} {why}")
        values[key] = value
    if len(names) > 1:
        raise BadInput(f"behind {path_of(path)} one name is wanted, but there are {', '.join(names)}")
    return Options(names[0] if names else "", values)


def part_of_axes(said: str, axes: Mapping[str, int], what: str) -> list[tuple[int, ...]]:
    """Places along several axes, last axis fastest: 'time:0-4,member:3' of {"member": 13, "time": 6} are five. An axis
    that is not named is taken whole.

    Raises:
        BadInput: no such axis, or places that it does not have; `what` they are for.

    Example:
        >>> part_of_axes("time:1-2", {"member": 2, "time": 6}, "test")
        [(0, 1), (0, 2), (1, 1), (1, 2)]
    """
    chosen = {axis: range(length) for axis, length in axes.items()}
    for part in said.split(","):
        axis, colon, places = part.partition(":")
        first, dash, last = places.partition("-")
        if axis not in axes or not colon:
            known = ", ".join(f"{name}:0-{length - 1}" for name, length in axes.items()) or "none"
            raise BadInput(f"{what}={said} names {part!r}; the axes and their places are {known}")
        if not first.isdecimal() or not (last.isdecimal() if dash else True):
            raise BadInput(f"{what}={said} names {part!r}; give places as {axis}:3 or {axis}:0-4, counted from 0")
        begin, end = int(first), int(last if dash else first)
        if not begin <= end < axes[axis]:
            raise BadInput(f"{what}={said} asks for {part}, but {axis} has the places 0 to {axes[axis] - 1}")
        chosen[axis] = range(begin, end + 1)
    return list(product(*chosen.values()))
