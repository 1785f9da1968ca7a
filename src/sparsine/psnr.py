"""The one formula for quality: PSNR = 10 log10(peak^2 / MSE), values not clamped (the paper's, whose peak is 1)."""

from math import inf, isnan, log10, nan


def psnr_db(mse: float, peak: float = 1.0) -> float:
    """Decibels beside `peak`, the kind of signal's; infinity for a perfect fit, NaN when the error is not finite."""
    if isnan(mse) or mse == inf:
        return nan
    if mse <= 0:
        return inf
    return -10 * log10(mse) + 20 * log10(peak)
