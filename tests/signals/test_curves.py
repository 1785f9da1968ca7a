import itertools

import numpy as np
import pytest

from sparsine.errors import BadInput
from sparsine.signals import open_dataset
from sparsine.signals.cache import Cached
from sparsine.signals.curve_distance import signed_distance
from sparsine.signals.kinds import Distance
from sparsine.signals.sources.curves import CurveDistances, random_curve

ROWS, COLUMNS = np.linspace(-0.97, 0.93, 13), np.linspace(-0.9, 0.99, 11)


def dense_points(curve, num_points=6000):
    return curve.points(np.linspace(0.0, 2 * np.pi, num_points, endpoint=False))


def distance_to_polygon(points, corners):
    """From each point to the closed polygon, segment by segment."""
    sides = np.roll(corners, -1) - corners
    along = ((points[:, None] - corners) * np.conj(sides)).real / np.abs(sides) ** 2
    return np.abs(corners + np.clip(along, 0, 1) * sides - points[:, None]).min(axis=1)


def winding_number(points, corners):
    turns = np.angle((np.roll(corners, -1) - points[:, None]) / (corners - points[:, None])).sum(axis=1)
    return np.round(turns / (2 * np.pi))


@pytest.mark.parametrize("index", [1, 17, 4711, 9999])
def test_distances_agree_with_a_dense_search(index):
    curve = random_curve(3, "test", index)
    points = (ROWS[:, None] + 1j * COLUMNS).ravel()
    expected = distance_to_polygon(points, dense_points(curve))
    found = signed_distance(curve, ROWS, COLUMNS).ravel()
    # 6000 chords of a curve this size leave the curve by up to about 5e-7.
    assert np.abs(np.abs(found) - expected).max() < 1e-6
    assert ((found < 0) == (winding_number(points, dense_points(curve, 997)) != 0)).all()


def test_distances_stay_exact_at_centres_of_curvature():
    curve = random_curve(3, "val", 29)
    t = np.linspace(0.0, 2 * np.pi, 31, endpoint=False)
    c, dc, ddc = curve.points_and_derivatives(t)
    curvature = (dc.real * ddc.imag - dc.imag * ddc.real) / np.abs(dc) ** 3
    centres = c + 1j * dc / np.abs(dc) / curvature
    centres = centres[np.abs(centres) < 1]
    assert len(centres) > 5
    expected = distance_to_polygon(centres, dense_points(curve, 20000))
    found = [signed_distance(curve, np.array([p.real]), np.array([p.imag]))[0, 0] for p in centres]
    assert np.abs(np.abs(found) - expected).max() < 1e-6


def test_the_gradient_has_length_one_away_from_the_medial_axis():
    curve, step = random_curve(1, "train", 12), 1e-5

    def difference(row, column):
        after = signed_distance(curve, ROWS + row, COLUMNS + column)
        return (after - signed_distance(curve, ROWS - row, COLUMNS - column)) / (2 * step)

    length = np.hypot(difference(step, 0), difference(0, step))
    assert np.median(np.abs(length - 1)) < 1e-6
    assert (np.abs(length - 1) < 1e-4).mean() > 0.95  # the rest lies within a step of the medial axis


def test_points_of_the_curve_have_distance_zero():
    curve = random_curve(2, "train", 5)
    for point in curve.points(np.array([0.1, 2.3, 4.9])):
        assert abs(signed_distance(curve, np.array([point.real]), np.array([point.imag]))[0, 0]) < 1e-9


def test_derivatives_agree_with_differences():
    curve, t, step = random_curve(2, "train", 6), np.array([0.3, 1.9, 5.1]), 1e-5
    _, first, second = curve.points_and_derivatives(t)
    assert np.allclose((curve.points(t + step) - curve.points(t - step)) / (2 * step), first, atol=1e-7)
    before, after = (curve.points_and_derivatives(t + s)[1] for s in (-step, step))
    assert np.allclose((after - before) / (2 * step), second, atol=1e-6)


def test_curves_are_simple_and_stay_inside_the_square():
    for split, index in itertools.product(("train", "val", "test"), range(0, 900, 31)):
        curve = random_curve(11, split, index)
        points = dense_points(curve, 501)
        assert max(np.abs(points.real).max(), np.abs(points.imag).max()) < 0.96
        assert np.abs(curve.harmonics).sum() < 0.61  # hence r > 0
        assert abs(curve.plain) > 1.3 * abs(curve.mirrored)  # the map does not fold


def test_the_same_seed_split_and_index_give_the_same_signal():
    first, second = (open_dataset("curves", resolution=(5, 3), seed=4) for _ in range(2))
    for index in (0, 7, 9999):
        assert first.val.name(index) == second.val.name(index) == f"curve-val-{index:06d}"
        assert (first.val.load(index) == second.val.load(index)).all()


def test_splits_seeds_and_indices_all_give_different_curves():
    signals = [
        CurveDistances(seed, split, (5, 3)).load(index).tobytes()
        for seed, split, index in itertools.product((0, 1, 2), ("train", "val", "test"), range(7))
    ]
    assert len(set(signals)) == len(signals)


def test_a_signal_has_one_value_at_shared_positions_of_any_resolution():
    coarse, fine = (open_dataset("curves:6", resolution=shape).train.load(123_456) for shape in ((5, 9), (9, 17)))
    assert np.allclose(coarse, fine[::2, ::2], atol=1e-7, rtol=0)


def test_row_is_the_first_coordinate():
    values = CurveDistances(5, "val", (5, 3)).load(8)
    curve = random_curve(5, "val", 8)
    assert values[1, 2, 0] == np.float32(signed_distance(curve, np.array([-0.5]), np.array([1.0]))[0, 0])


def test_pieces_of_a_large_grid_fit_together():
    curve, rows = random_curve(5, "val", 9), np.linspace(-1, 1, 101)
    whole = signed_distance(curve, rows, np.linspace(-1, 1, 99))
    assert np.allclose(whole[90:], signed_distance(curve, rows[90:], np.linspace(-1, 1, 99)), atol=1e-12)


def test_the_data_set_says_what_it_stands_in_for():
    data = open_dataset("curves:12")
    assert (data.source, data.shape, data.num_channels, data.kind) == ("curves", (64, 64), 1, Distance())
    assert (len(data.train), len(data.val), len(data.test)) == (1_000_000, 10_000, 10_000)
    assert "stand-in" in data.description
    assert "seed 12" in data.description
    assert data.test.load(3).shape == (64, 64, 1)
    assert data.test.load(3).min() < 0 < data.test.load(3).max()


@pytest.mark.parametrize("spec", ["curves:", "curves:x", "curves:-1", "curves:1.5", "curves:²", "curves:" + "9" * 5000])
def test_a_senseless_seed_is_refused(spec):
    with pytest.raises(BadInput, match="curves"):
        open_dataset(spec)


@pytest.mark.parametrize("index", [-1, 10_000])
def test_an_index_outside_the_set_is_an_index_error(index):
    data = open_dataset("curves", resolution=(5, 3))
    with pytest.raises(IndexError):
        data.val.load(index)
    with pytest.raises(IndexError):
        data.val.name(index)


def test_a_million_curves_to_train_with_are_not_held_in_memory():
    every, some = open_dataset("curves:3", resolution=(5, 3)), open_dataset("curves:3/7", resolution=(5, 3))
    assert not isinstance(every.train, Cached)
    assert all(isinstance(signals, Cached) for signals in (every.val, every.test, some.train, some.val))


def test_a_number_of_training_curves_can_be_asked_for_and_leaves_each_as_it_is():
    few, all_of_them = open_dataset("curves:3/7", resolution=(5, 4)), open_dataset("curves:3", resolution=(5, 4))
    assert (len(few.train), len(all_of_them.train)) == (7, 1_000_000)
    assert (len(few.val), len(few.test)) == (len(all_of_them.val), len(all_of_them.test))
    np.testing.assert_array_equal(few.train.load(6), all_of_them.train.load(6))
    with pytest.raises(IndexError):
        few.train.load(7)


@pytest.mark.parametrize(
    "spec", ["curves:3/0", "curves:3/1000001", "curves:3/", "curves:/3", "curves:3/x", "curves:3/-1"]
)
def test_a_number_of_training_curves_that_makes_no_sense_is_refused(spec):
    with pytest.raises(BadInput, match="curves"):
        open_dataset(spec)
