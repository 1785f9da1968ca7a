from itertools import pairwise

import numpy as np
import pytest

from sparsine.errors import BadInput
from sparsine.signals import open_dataset
from sparsine.signals.kinds import Rgb
from sparsine.signals.sources.leaves import leaf_picture


def picture(seed, shape=(64, 80)):
    return leaf_picture(np.random.default_rng(seed), shape)


def test_a_picture_has_the_shape_and_range_of_its_kind():
    found = picture(1)
    assert (found.shape, found.dtype) == ((64, 80, 3), np.float32)
    assert 0 <= found.min() < 0.3
    assert 0.7 < found.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 2)])
def test_odd_sizes_are_pictures_too(shape):
    found = picture(1, shape)
    assert found.shape == (*shape, 3)
    assert np.isfinite(found).all()


def test_the_spectrum_falls_as_that_of_photographs():
    """Power falls with about the square of the frequency: by between 1.5 and 3 (Ruderman and Bialek, 1994)."""
    power, distances = 0.0, np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(96)[None])
    for seed in range(12):
        grey = picture(seed, (96, 96)).mean(axis=2)
        window = np.hanning(96)[:, None] * np.hanning(96)
        power = power + np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    rings = [(distances > low) & (distances < 1.5 * low) for low in (0.03, 0.06, 0.12)]
    mean = [np.log2(power[ring].mean()) for ring in rings]
    assert all(1.5 < before - after < 3.5 for before, after in pairwise(mean))


def test_leaves_hide_each_other():
    """A sum of shapes would be brighter where they overlap; here every colour is one that a leaf has."""
    found = picture(3)
    steps = np.abs(np.diff(found.mean(axis=2), axis=1))
    assert np.median(steps) < 0.03 < np.quantile(steps, 0.97)  # flat inside, an edge where one ends


def test_the_same_picture_comes_again_and_others_are_others():
    first, second = (open_dataset("leaves:4", resolution=(20, 24)) for _ in range(2))
    np.testing.assert_array_equal(first.train.load(5), second.train.load(5))
    assert first.train.fingerprint(5) == second.train.fingerprint(5)
    others = [first.train.load(6), first.val.load(5), first.test.load(5),
              open_dataset("leaves:5", resolution=(20, 24)).train.load(5)]  # fmt: skip
    assert all(not np.array_equal(first.train.load(5), other) for other in others)


def test_the_data_set_says_what_it_is():
    data = open_dataset("leaves", seed=3)
    assert (data.source, data.shape, data.num_channels, data.kind) == ("leaves", (178, 178), 3, Rgb())
    assert "seed 3" in data.description
    assert data.train.shape_of(0) == (178, 178)


@pytest.mark.parametrize("spec", ["leaves:x", "leaves:-1", "leaves:1.5", "leaves:" + "9" * 19])
def test_a_seed_that_is_none_is_refused(spec):
    with pytest.raises(BadInput, match="has no valid seed; use leaves or leaves:SEED"):
        open_dataset(spec)
