"""The groups of parameters that may have a step and a scale of their own: layer weights, then layer biases."""

from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Int

from sparsine.fields.pattern import Pattern

_KNOWN: "WeakKeyDictionary[Pattern, np.ndarray]" = WeakKeyDictionary()


def num_groups(num_layers: int) -> int:
    return 2 * num_layers


def groups_of(pattern: Pattern) -> Int[np.ndarray, " params"]:
    """The group of every entry of theta: l for weights of layer l, layers + l for its biases."""
    if pattern not in _KNOWN:
        weights = [int(keep.sum()) for keep in pattern.layer_keeps()]
        biases = [n_out for n_out, _ in pattern.field.layer_shapes]
        _KNOWN[pattern] = np.repeat(np.arange(2 * len(weights)), weights + biases)
    return _KNOWN[pattern]


def group_names(num_layers: int) -> list[str]:
    """'weights 1', ..., 'biases 1', ...: for tables."""
    return [f"{what} {layer + 1}" for what in ("weights", "biases") for layer in range(num_layers)]
