"""The bells that the kernels compute, against float64, in every instruction set: 2^(-z^2)."""

import numpy as np
import pytest

from sparsine.engines import _native

FARTHEST = np.sqrt(126.4)  # beyond it the value is below the smallest normal number, and 0 here
LOG2 = np.log(2)
each_set = pytest.mark.parametrize("instructions", _native.instruction_sets())


def value_and_slope(instructions, z):
    value, slope = np.full_like(z, 7), np.full_like(z, 7)
    _native.value_and_slope("gauss", instructions, z, value, slope)
    return value.astype(np.float64), slope.astype(np.float64)


def exact(z):
    z = z.astype(np.float64)
    value = np.exp2(-z * z)
    return value, -2 * LOG2 * z * value


def places():
    """All over the range, and near zero, where z^2 is a whole number or a half, and near the end."""
    rng = np.random.default_rng(12)
    halves = np.sqrt(np.arange(252) / 2)
    spread = [rng.uniform(-size, size, 40_001) for size in (0.1, 1, 4, FARTHEST)]
    tiny = rng.choice([-1, 1], 20_001) * np.exp(rng.uniform(-85, 0, 20_001))
    plain = np.concatenate([*spread, tiny, halves, -halves, [0, -0.0]]).astype(np.float32)
    return np.concatenate([plain, *(np.nextafter(plain[-600:], np.float32(towards)) for towards in (-9e9, 9e9))])


@each_set
def test_value_and_slope_are_right_to_a_few_roundings(instructions):
    z = places()
    value, slope = value_and_slope(instructions, z)
    exact_value, exact_slope = exact(z)
    # measured: 1.0e-7 and 1.7e-7 with fused multiply-adds, 1.1e-7 and 1.8e-7 without
    assert np.abs(value - exact_value).max() < 1.3e-7
    assert np.abs(slope - exact_slope).max() < 2e-7
    # relative: one rounding of z^2, which is 126 at most, and the polynomial
    inside = np.abs(z) < FARTHEST - 0.02
    assert (np.abs(value - exact_value) / exact_value)[inside].max() < 6e-6
    assert value.max() == 1.0
    assert value.min() >= 0.0


@each_set
def test_the_top_of_the_bell_is_met_exactly(instructions):
    value, slope = value_and_slope(instructions, np.float32([0, -0.0, 1e-30, -1e-30]))
    assert value.tolist() == [1.0] * 4
    assert slope[:2].tolist() == [0.0] * 2


@each_set
def test_far_from_the_bell_everything_is_zero(instructions):
    far = np.float32([11.28, 12, 100, 1e10, 1e20, 3.4e38])
    for z in (far, -far):
        value, slope = value_and_slope(instructions, z)
        assert (value == 0).all()
        assert (slope == 0).all()
    assert value_and_slope(instructions, np.float32([np.inf, -np.inf]))[0].tolist() == [0.0, 0.0]


@each_set
def test_what_is_no_number_has_no_value(instructions):
    for answer in value_and_slope(instructions, np.full(17, np.nan, np.float32)):
        assert np.isnan(answer).all()


@each_set
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 15, 16, 17, 33])
def test_any_number_of_places_is_served_and_no_more(instructions, count):
    z = np.float32(np.linspace(-3, 3, 40))
    value, slope = np.full(40, 7, np.float32), np.full(40, 7, np.float32)
    _native.value_and_slope("gauss", instructions, z[:count], value[:count], slope[:count])
    all_values, all_slopes = value_and_slope(instructions, z)
    assert (value[:count] == all_values[:count]).all()
    assert (slope[:count] == all_slopes[:count]).all()
    assert (value[count:] == 7).all()
    assert (slope[count:] == 7).all()


def test_the_sine_can_be_asked_by_its_name():
    z = np.float32(np.linspace(-3, 3, 40))
    by_name, plain = (np.zeros((2, 40), np.float32) for _ in range(2))
    _native.value_and_slope("sine", "portable", z, by_name[0], by_name[1])
    _native.sine_and_slope("portable", z, plain[0], plain[1])
    assert np.array_equal(by_name, plain)


def test_an_unknown_activation_and_lengths_that_differ_are_refused():
    z, wrong = np.zeros(5, np.float32), np.full(4, 7, np.float32)
    with pytest.raises(ValueError, match="no activation 'swish'"):
        _native.value_and_slope("swish", "portable", z, z.copy(), z.copy())
    with pytest.raises(ValueError, match="no activation 'swish'"):
        _native.constants("swish")
    with pytest.raises(ValueError, match="lengths are the same"):
        _native.value_and_slope("gauss", "portable", z, z.copy(), wrong)
    assert (wrong == 7).all()
