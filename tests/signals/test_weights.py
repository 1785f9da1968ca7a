"""How much samples count: areas on a sphere, and values that are missing."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals import Grid, Kind, Metric, Points, Sphere
from sparsine.signals.arrays import Arrays
from sparsine.signals.kinds import Rgb
from sparsine.signals.values import as_values, load_values
from sparsine.signals.weights import mean_square, weigh, weights_of


@dataclass(frozen=True, kw_only=True)
class Patchy(Kind):
    """Values from 0 to 4 of which some may be missing."""

    name: ClassVar[str] = "patchy"

    @property
    def value_range(self):
        return 0.0, 4.0

    @property
    def missing(self):
        return True


HOLED = np.random.default_rng(0).random((5, 3, 2), dtype=np.float32)
HOLED[1, 2] = HOLED[4, 0, 1] = np.nan


def test_where_all_samples_count_alike_there_are_no_weights_and_the_values_are_the_same_object():
    values = torch.rand(3, 7, 2)
    found, weights = weigh(values, None)
    assert found is values
    assert weights is None
    assert Grid(shape=(5, 3)).weights() is None
    assert Points(shape=(7,), extent=((0, 1), (0, 2))).weights() is None


@pytest.mark.parametrize("latitudes", [(77.5, -77.5), (-77.5, 77.5), (80.0, 12.0)])
def test_away_from_the_poles_weights_are_the_cosine_of_the_latitude(latitudes):
    sphere = Sphere(shape=(9, 5), latitudes=latitudes)
    weights = sphere.weights(dtype=torch.float64).reshape(9, 5)
    cosine = torch.cos(torch.deg2rad(torch.linspace(*latitudes, 9, dtype=torch.float64)))
    assert torch.allclose(weights, (cosine / cosine.mean())[:, None].expand(9, 5), rtol=1e-12)


def test_a_sample_on_a_pole_counts_as_the_cap_around_it_and_all_together_are_the_sphere():
    sphere = Sphere(shape=(7, 4))  # every 30 degrees, poles included
    weights = sphere.weights(dtype=torch.float64).reshape(7, 4)
    areas = [2 * np.pi * (np.sin(np.deg2rad(min(m + 15, 90))) - np.sin(np.deg2rad(max(m - 15, -90))))
             for m in np.linspace(90, -90, 7)]  # fmt: skip
    assert sum(areas) == pytest.approx(4 * np.pi)
    assert np.allclose(weights.sum(1) / weights.sum(), np.array(areas) / (4 * np.pi))
    assert weights.mean().item() == pytest.approx(1)
    assert (weights > 0).all()


def test_weights_of_some_places_are_those_of_all():
    sphere, places = Sphere(shape=(7, 4)), np.array([27, 0, 5, 5])
    assert torch.equal(sphere.weights_at(places), sphere.weights()[torch.from_numpy(places)])
    assert sphere.weights_at(places, dtype=torch.float64).dtype == torch.float64


def test_the_samples_of_one_latitude_count_alike():
    assert Sphere(shape=(1, 9), latitudes=(50, 50)).weights() is None


def test_missing_samples_get_a_finite_value_and_count_nothing():
    values = torch.from_numpy(HOLED).reshape(1, 15, 2)
    both = torch.cat([values, torch.full_like(values, 0.25)])
    found, weights = weigh(both, None)
    assert torch.isfinite(found).all()
    missing = torch.isnan(both).any(2)
    assert missing.sum() == 2
    assert torch.equal(found[~missing], both[~missing])
    assert torch.equal(weights == 0, missing)
    assert torch.allclose(weights.mean(1), torch.ones(2))
    assert torch.equal(weights[1], torch.ones(15))


def test_areas_and_missing_values_go_together():
    sphere = Sphere(shape=(5, 3), latitudes=(60, -20))
    values = torch.from_numpy(HOLED).reshape(1, 15, 2)
    _, weights = weigh(values, sphere.weights())
    area = sphere.weights(torch.float64) * ~torch.isnan(values[0]).any(1)
    assert torch.allclose(weights[0].double(), area / area.mean(), rtol=1e-6)


def test_of_samples_that_are_all_missing_none_counts():
    found, weights = weigh(torch.full((1, 4, 1), torch.nan), None)
    assert torch.isfinite(found).all()
    assert torch.equal(weights, torch.zeros(1, 4))


def test_the_mean_square_leaves_out_what_is_missing_and_weighs_the_rest():
    sphere, other = Sphere(shape=(5, 3), latitudes=(60, -20)), np.zeros((5, 3, 2), np.float32)
    weights = weights_of(sphere, HOLED)
    present = ~np.isnan(HOLED).any(axis=2)
    area = np.broadcast_to(np.cos(np.deg2rad(np.linspace(60, -20, 5)))[:, None], (5, 3))[present]
    expected = np.average(np.square(HOLED[present].astype(np.float64)).mean(axis=1), weights=area)
    assert mean_square(HOLED, other, weights) == pytest.approx(expected, rel=1e-6)
    grid = Grid(shape=(5, 3))
    assert weights_of(grid, np.zeros((5, 3, 2), np.float32)) is None
    assert mean_square(other + 2, other, None) == 4


def test_a_metric_is_told_the_weights_if_it_wants_them():
    one, other, weights = np.ones((2, 1)), np.zeros((2, 1)), np.array([0.5, 1.5])
    weighed = Metric("w", "w", lambda a, b, w: float(w[1]), weighted=True)
    plain = Metric("p", "p", lambda a, b: 3.0)
    assert weighed.measure(one, other, weights) == 1.5
    assert plain.measure(one, other, weights) == 3


def test_a_kind_that_allows_missing_values_takes_them_as_nan():
    masked = np.ma.MaskedArray(np.nan_to_num(HOLED, nan=77.0), np.isnan(HOLED))
    for given in (HOLED, HOLED.astype(np.float64), torch.from_numpy(HOLED), masked):
        assert np.array_equal(as_values(given, Patchy()), HOLED, equal_nan=True)
    assert np.array_equal(load_values(Arrays([HOLED], Patchy()), 0, Patchy()), HOLED, equal_nan=True)


def test_every_other_kind_refuses_them_as_before():
    with pytest.raises(BadInput, match="NaN or infinity; every value must be finite"):
        as_values(np.where(np.isnan(HOLED), np.nan, 0.5).repeat(2, 2)[:, :, :3], Rgb())
    with pytest.raises(BadInput, match="masked array"):
        as_values(np.ma.MaskedArray(HOLED, np.isnan(HOLED)), Kind())


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (np.full((4, 2, 1), np.nan, np.float32), "every value is missing"),
        (np.ma.MaskedArray(np.ones((4, 2, 1), np.float32), True), "every value is missing"),
        (np.array([[[np.nan], [np.inf]]]), "NaN or infinity"),
        (np.array([[[np.nan], [9.0]]]), "from 0 to 4, but they run from 9 to 9"),
    ],
)
def test_what_is_there_must_still_be_sound(spoilt, words):
    with pytest.raises(BadInput, match=words):
        as_values(spoilt, Patchy())
    with pytest.raises(UnreadableSignal, match=words):
        load_values(Arrays([spoilt], Patchy()), 0, Patchy())
