"""Splits of signals that lie side by side along named axes: by their places, never by chance, as neighbours are
alike."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from sparsine.errors import BadInput
from sparsine.signals.dataset import SPLITS
from sparsine.signals.places import Options, part_of_axes
from sparsine.signals.splits import tenth

Index = tuple[int, ...]
"""The place of a signal along the axes."""
SPLIT_IN_ORDER = "along the longest axis the last tenth tests, the one before it validates"


def asks_for_splits(options: Options) -> bool:
    return any(split in options.values for split in SPLITS)


def split_places(
    axes: Mapping[str, int], options: Options, what: str, named: Callable[[Index], str]
) -> dict[str, list[Index]]:
    """The places of each split: those that `train=`, `val=` and `test=` say; where some are said, all others train.
    Without a word the ends of the longest axis are held out; where that is too short, all are in every split.

    Args:
        axes: signals along each axis, by name; `what` each of them is, such as "field".
        named: the name of one, for messages.

    Raises:
        BadInput: no such axis or place, or one place in two splits.
    """
    every = list(product(*map(range, axes.values())))
    if not asks_for_splits(options):
        return _in_order(list(axes.values()), every)
    said = {split: part_of_axes(options.values[split], axes, split) for split in SPLITS if split in options.values}
    taken = [index for indices in said.values() for index in indices]
    if len(set(taken)) < len(taken):
        twice = next(index for index in taken if taken.count(index) > 1)
        raise BadInput(f"the {what} {named(twice)} is in two splits; let each be in one")
    rest = [index for index in every if index not in set(taken)]
    return {split: said.get(split, rest if split == "train" else []) for split in SPLITS}


def _in_order(lengths: Sequence[int], every: list[Index]) -> dict[str, list[Index]]:
    longest = max(range(len(lengths)), key=lambda axis: lengths[axis], default=None)
    if longest is None or lengths[longest] < len(SPLITS):
        return dict.fromkeys(SPLITS, every)
    held = tenth(lengths[longest])
    ends = lengths[longest] - 2 * held, lengths[longest] - held
    parts = [(0, ends[0]), (ends[0], ends[1]), (ends[1], lengths[longest])]
    return {split: [index for index in every if first <= index[longest] < last]
            for split, (first, last) in zip(SPLITS, parts, strict=True)}  # fmt: skip
