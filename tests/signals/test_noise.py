from itertools import pairwise

import numpy as np
import pytest

from sparsine.signals import open_dataset
from sparsine.signals.sources.noise import noise_picture


def test_a_picture_is_in_range_and_around_the_middle():
    found = noise_picture(np.random.default_rng(0), (64, 80))
    assert (found.shape, found.dtype) == ((64, 80, 3), np.float32)
    assert 0 <= found.min() < 0.2
    assert 0.8 < found.max() <= 1
    assert found.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 2)])
def test_odd_sizes_are_pictures_too(shape):
    found = noise_picture(np.random.default_rng(0), shape)
    assert found.shape == (*shape, 3)
    assert np.isfinite(found).all()


def test_power_falls_with_the_square_of_the_frequency():
    distances = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(96)[None])
    rings = [(distances > low) & (distances < 1.5 * low) for low in (0.03, 0.06, 0.12, 0.24)]
    power = sum(
        np.abs(np.fft.fft2(noise_picture(np.random.default_rng(seed), (96, 96))[..., 0])) ** 2 for seed in range(8)
    )
    steps = [before - after for before, after in pairwise(np.log2(power[ring].mean()) for ring in rings)]
    assert all(1.5 < step < 2.5 for step in steps)


def test_nothing_stands_at_the_same_place_twice():
    """Faces have eyes where other faces have eyes; noise has nothing in common but its spectrum."""
    found = [noise_picture(np.random.default_rng(seed), (32, 32)) for seed in range(64)]
    assert np.mean(found, axis=0).std() < 2 * np.std(found) / np.sqrt(64)


def test_the_same_picture_comes_again_and_others_are_others():
    first, second = (open_dataset("noise:4", resolution=(20, 24)) for _ in range(2))
    np.testing.assert_array_equal(first.train.load(5), second.train.load(5))
    others = [first.train.load(6), first.val.load(5), open_dataset("noise:5", resolution=(20, 24)).train.load(5),
              open_dataset("leaves:4", resolution=(20, 24)).train.load(5)]  # fmt: skip
    assert all(not np.array_equal(first.train.load(5), other) for other in others)
