"""`noise`: pictures of noise, made on the spot from (seed, split, index).

A control: a start that is learned on noise knows nothing of what photographs or faces show, only how much there is of
each frequency. What a start of faces has more is knowledge of faces.
"""

import numpy as np
from jaxtyping import Float

from sparsine.signals.made_pictures import made_pictures, noise_of_slope
from sparsine.signals.source import SOURCES

_SPREAD = 0.2
"""Standard deviation of a channel, about that of photographs."""
_TINT = 0.3
"""How much of a channel is its own, beside what all three share."""


def noise_picture(rng: np.random.Generator, shape: tuple[int, int]) -> Float[np.ndarray, "rows columns 3"]:
    """Gaussian noise around 1/2 whose amplitude falls with the frequency, as that of photographs does on average
    (Field, JOSA A 1987; Ruderman and Bialek, 1994); values beyond 0..1 are cut off."""
    shared, *own = (noise_of_slope(rng, shape, 1.0) for _ in range(4))
    channels = np.stack([np.sqrt(1 - _TINT**2) * shared + _TINT * one for one in own], axis=-1)
    return np.asarray((0.5 + _SPREAD * channels).clip(0, 1), dtype=np.float32)


SOURCES["noise"] = made_pictures(
    "noise", noise_picture, "noise", "the spectrum of photographs, and nothing that they show"
)
