"""SSIM beside a plain one, written out window by window."""

import numpy as np
import pytest

from sparsine.ssim import ssim


def by_hand(original, fitted, data_range):
    """Wang et al., IEEE TIP 2004, equation 13 and section III.C: Gaussian weights over 11 x 11 samples, sigma 1.5."""
    distance = np.arange(11) - 5
    line = np.exp(-(distance**2) / (2 * 1.5**2))
    weight = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    found = []
    rows, columns, channels = original.shape
    for row in range(rows - 10):
        for column in range(columns - 10):
            for channel in range(channels):
                x, y = (a[row : row + 11, column : column + 11, channel].astype(np.float64) for a in (original, fitted))
                mean_x, mean_y = (weight * x).sum(), (weight * y).sum()
                var_x, var_y = (weight * (x - mean_x) ** 2).sum(), (weight * (y - mean_y) ** 2).sum()
                both = (weight * (x - mean_x) * (y - mean_y)).sum()
                found.append(
                    (2 * mean_x * mean_y + c1) * (2 * both + c2) / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
                )
    return float(np.mean(found))


def pair(rows, columns, channels, seed=0):
    rng = np.random.default_rng(seed)
    original = rng.random((rows, columns, channels), dtype=np.float32)
    return original, original + 0.2 * rng.standard_normal(original.shape).astype(np.float32)


@pytest.mark.parametrize(("shape", "data_range"), [((13, 17, 3), 1.0), ((19, 12, 1), 2.0), ((11, 11, 2), 1.0)])
def test_it_is_the_papers_formula(shape, data_range):
    original, fitted = pair(*shape)
    assert 0.2 < by_hand(original, fitted, data_range) < 0.95
    assert ssim(original, fitted, data_range) == pytest.approx(by_hand(original, fitted, data_range), abs=1e-7)


def test_values_are_not_clamped():
    original, fitted = pair(13, 15, 1)
    assert fitted.max() > 1.2
    assert ssim(original, fitted, 1.0) != pytest.approx(ssim(original, fitted.clip(0, 1), 1.0), abs=1e-4)


def test_the_same_signal_has_one():
    original, _ = pair(12, 13, 3)
    assert ssim(original, original.copy(), 1.0) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("shape", [(10, 30, 3), (30, 10, 1), (2, 2, 1)])
def test_a_signal_smaller_than_one_window_has_none(shape):
    original, fitted = pair(*shape)
    assert ssim(original, fitted, 1.0) is None


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_have_none(number):
    original, fitted = pair(13, 12, 3)
    fitted[3, 4, 1] = number
    assert ssim(original, fitted, 1.0) is None
