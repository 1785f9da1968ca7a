"""Training signals as one array, for what is learned from all of them at once."""

from math import prod

import numpy as np
from jaxtyping import Float

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.dataset import Dataset
from sparsine.signals.values import load_values

MOST_SIGNALS = 1_600
MOST_BYTES = 1 << 30


def check_training(dataset: Dataset) -> None:
    """Raises BadInput where fewer than two of the training signals can be held at a time."""
    if (most := _most(dataset)) < 2:
        what = f"has {counted(len(dataset.train), 'training signal')}"
        if len(dataset.train) >= 2:
            what = f"has signals so large that {most} of them fit into {MOST_BYTES >> 20} MiB"
        raise BadInput(
            f"cosines and components are learned from two training signals or more, but {dataset.spec} {what}; leave "
            "the linear methods out, or lower --resolution"
        )


def training_signals(dataset: Dataset) -> Float[np.ndarray, "signals ..."]:
    """(signals, *axes, channels) float32: those from the front that can be read, MOST_SIGNALS of them or as many as
    MOST_BYTES hold.

    Raises:
        BadInput: fewer than two.
    """
    most = _most(dataset)
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
