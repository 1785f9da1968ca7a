"""Training signals as one array, for what is learned from all of them at once."""

from math import prod

import numpy as np
from jaxtyping import Float

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.dataset import Dataset
from sparsine.signals.grid import Grid
from sparsine.signals.values import load_values

MOST_SIGNALS = 1_600
MOST_BYTES = 1 << 30


def check_training(name: str, dataset: Dataset) -> None:
    """Raises BadInput where the method `name` cannot learn from training signals that are stacked: they lie on no
    lattice, values may be missing, or fewer than two can be held at a time."""
    if not isinstance(dataset.domain, Grid) or dataset.kind.missing:
        why = "values may be missing" if isinstance(dataset.domain, Grid) else "samples lie on no lattice"
        raise BadInput(
            f"{name} needs signals on a lattice, every sample of which counts as much as any other, but in "
            f"{dataset.spec} {why}; leave it out of --methods"
        )
    if (most := _most(dataset)) < 2:
        what = f"has {counted(len(dataset.train), 'training signal')}"
        if len(dataset.train) >= 2:
            what = f"has signals so large that {most} of them fit into {MOST_BYTES >> 20} MiB"
        raise BadInput(
            f"{name} learns from two training signals or more, but {dataset.spec} {what}; leave it out of --methods, "
            "or lower --resolution"
        )


def training_signals(dataset: Dataset, most: int = MOST_SIGNALS) -> Float[np.ndarray, "signals ..."]:
    """(signals, *axes, channels) float32: those from the front that can be read, `most` of them or as many as
    MOST_BYTES hold.

    Raises:
        BadInput: fewer than two.
    """
    most = min(most, _most(dataset))
    read = np.empty((most, *dataset.shape, dataset.num_channels), dtype=np.float32)
    found = 0
    for index in range(len(dataset.train)):
        if found == most:
            break
        try:
            read[found] = load_values(dataset.train, index, dataset.kind)
        except UnreadableSignal:
            continue
        found += 1
    if found < 2:
        raise BadInput(f"{dataset.spec} has {counted(found, 'training signal')} that can be read, but 2 are needed")
    return read[:found]


def _most(dataset: Dataset) -> int:
    each = 4 * prod(dataset.shape) * dataset.num_channels
    return min(MOST_SIGNALS, len(dataset.train), MOST_BYTES // each)
