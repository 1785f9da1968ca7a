"""An engine that this package does not know is held against the referee before it is used."""

import numpy as np
import torch

from sparsine.engines.contract import Engine
from sparsine.engines.reference import ReferenceEngine
from sparsine.errors import BadInput

POINTS = 16
TOLERANCE = 0.05
"""Of the largest value: far above any rounding, half precision included, and far below another activation."""


def check_values(engine: Engine) -> None:
    """Does it draw what the field says? If not, other engines would later draw something else than was learned.

    Raises:
        BadInput: its values are others than the referee's.
    """
    pattern, rng = engine.pattern, np.random.default_rng(0x5E)
    theta = pattern.gather(engine.field.initial_theta(0)[None]).to(engine.device, engine.dtype).contiguous()
    coords = torch.from_numpy(rng.uniform(-1, 1, (POINTS, engine.field.in_features))).to(theta)
    found = engine.predict(theta, coords)
    expected = ReferenceEngine(pattern, device=engine.device, dtype=engine.dtype).predict(theta, coords)
    error, size = (found - expected).abs().max().item(), expected.abs().max().item()
    if not error <= TOLERANCE * size:
        raise BadInput(
            f"engine '{engine.name}' does not compute the field that it was given, {engine.field.description}: its "
            f"values are off by {error:.2g} where the largest is {size:.2g}. What is learned with it would be drawn as "
            "something else: describe the field as it computes it, with an activation of that name in ACTIVATIONS "
            "(docs/extending.md)"
        )
