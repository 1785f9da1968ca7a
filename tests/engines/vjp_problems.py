"""Patterns with everything that a vector-Jacobian product can meet, and how close is close."""

import torch
from small_problems import Pattern, field_of, random_pattern

TOLERANCE = 2e-5
FIELD = field_of(2, 23, 19, 3, omega_0=5.0, output_offset=0.5)


def all_between_pruned(field):
    """What survives leads nowhere: outputs are their biases and what constant neurons make of them."""
    keep = torch.zeros(field.num_weights, dtype=torch.bool)
    keep[-5:] = True
    return Pattern(field, keep)


PATTERNS = {
    "sparse": random_pattern(FIELD, 0.3),
    "full": Pattern.full(FIELD),
    "all pruned": Pattern(FIELD, torch.zeros(FIELD.num_weights, dtype=torch.bool)),
    "constants": all_between_pruned(FIELD),
    "one neuron": Pattern.full(field_of(1, 1, 1)),
    "three coordinates": random_pattern(field_of(3, 9, 40, 33, 5), 0.5),
}


def close(found, expected):
    """Norms: where nothing but rounding is left, entries have no relative error."""
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        assert (a.double() - b.double()).norm() <= TOLERANCE * (1e-3 + b.double().norm())
