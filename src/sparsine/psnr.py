"""The one formula for quality: PSNR = -10 log10(MSE), peak 1, values not clamped (the paper's)."""

from math import inf, isnan, log10, nan


def psnr_db(mse: float) -> float:
    """Decibels; infinity for a perfect fit, NaN when the error is not finite."""
    if isnan(mse) or mse == inf:
        return nan
    return inf if mse <= 0 else -10 * log10(mse)
