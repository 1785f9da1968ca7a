"""Structural similarity (Wang et al., IEEE TIP 2004), as scikit-image computes it with the paper's Gaussian window."""

from typing import Any

import numpy as np
from jaxtyping import Float

WINDOW = 11
"""Samples on an axis that the Gaussian window covers at sigma 1.5."""


def ssim(
    original: Float[np.ndarray, "rows columns channels"],
    fitted: Float[np.ndarray, "rows columns channels"],
    data_range: float,
) -> float | None:
    """Mean over windows and channels, values not clamped; None for a signal that is smaller than one window, and for
    values that are not finite.

    Args:
        data_range: largest value minus smallest that a signal can have: 1 for brightness, 2 for distances in [-1, 1].
    """
    from skimage import metrics  # slow to import

    structural_similarity: Any = metrics.structural_similarity

    if min(original.shape[:2]) < WINDOW or not np.isfinite(fitted).all():
        return None
    return float(
        structural_similarity(original.astype(np.float64), fitted.astype(np.float64), data_range=data_range,
                              channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False)
    )  # fmt: skip
