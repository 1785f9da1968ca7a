"""The sines that the kernels compute, against float64, in every instruction set. Angles are half turns: sin(pi z)."""

import numpy as np
import pytest

from sparsine.engines import _native

FARTHEST = 2.0**22  # beyond it float32 has hardly a fraction left
each_set = pytest.mark.parametrize("instructions", _native.instruction_sets())


def sine_and_slope(instructions, half_turns):
    sine, slope = np.full_like(half_turns, 7), np.full_like(half_turns, 7)
    _native.sine_and_slope(instructions, half_turns, sine, slope)
    return sine.astype(np.float64), slope.astype(np.float64) / np.pi


def exact(half_turns):
    # whole half turns are taken out first: they are exact, and pi is not
    z = half_turns.astype(np.float64)
    whole = np.rint(z)
    sign = np.where(whole % 2 == 0, 1.0, -1.0)
    return sign * np.sin(np.pi * (z - whole)), sign * np.cos(np.pi * (z - whole))


def angles():
    """All over the range, dense near zero and at half-integers and their neighbours."""
    rng = np.random.default_rng(11)
    halves = np.concatenate([np.arange(-3001, 3001), 2.0 ** np.arange(1, 23) - 1, 1 - 2.0 ** np.arange(1, 23)]) / 2
    halves = halves.astype(np.float32)
    spread = [rng.uniform(-size, size, 40_001) for size in (1, 30, 3000, FARTHEST)]
    tiny = rng.choice([-1, 1], 20_001) * np.exp(rng.uniform(-85, 0, 20_001))
    plain = np.concatenate([*spread, tiny, np.linspace(-2, 2, 131_073), [0, -0.0, FARTHEST, -FARTHEST]])
    neighbours = [np.nextafter(halves, np.float32(towards)) for towards in (-9e9, 9e9)]
    return np.concatenate([plain.astype(np.float32), halves, *neighbours])


@each_set
def test_sine_and_slope_are_right_to_a_few_roundings(instructions):
    z = angles()
    assert np.abs(z).max() == FARTHEST
    sine, slope = sine_and_slope(instructions, z)
    exact_sine, exact_slope = exact(z)
    # measured: 2.0e-7 and 1.2e-7 with fused multiply-adds, 2.3e-7 and 1.6e-7 without
    assert np.abs(sine - exact_sine).max() < 2.5e-7
    assert np.abs(slope - exact_slope).max() < 1.8e-7
    # near the zeros of the sine the relative error is as good, down to where float32 has no such numbers
    assert (np.abs(sine - exact_sine) - 2.5e-7 * np.abs(exact_sine)).max() < 1e-44
    assert np.abs(sine).max() <= 1 + 2.5e-7
    assert np.abs(slope).max() <= 1 + 2.5e-7


@each_set
def test_whole_and_half_numbers_are_met_exactly(instructions):
    z = np.float32([0, 1, -1, 2, -2, 17, 4095, -4096, 2**22 - 1, 0.5, -0.5, 1.5, 2.5, -7.5, 1000.5])
    sine, slope = sine_and_slope(instructions, z)
    assert (sine[:9] == 0).all()
    assert slope[:9] == pytest.approx([1, -1, -1, 1, 1, -1, -1, 1, -1], abs=2e-7)
    assert sine[9:] == pytest.approx([1, -1, -1, 1, 1, 1], abs=2e-7)
    assert slope[9:] == pytest.approx([0] * 6, abs=2e-7)


@each_set
@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 15, 16, 17, 33])
def test_any_number_of_angles_is_served_and_no_more(instructions, count):
    z = np.float32(np.linspace(-3, 3, 40))
    sine, slope = np.full(40, 7, np.float32), np.full(40, 7, np.float32)
    _native.sine_and_slope(instructions, z[:count], sine[:count], slope[:count])
    all_sine, all_slope = sine_and_slope(instructions, z)
    assert (sine[:count] == all_sine[:count]).all()
    assert (slope[:count] == np.float32(all_slope[:count] * np.pi)).all()
    assert (sine[count:] == 7).all()
    assert (slope[count:] == 7).all()


@each_set
def test_beyond_the_range_sine_and_slope_stay_bounded(instructions):
    powers = 2.0 ** np.arange(22, 128)
    beyond = np.concatenate([powers * 1.37, FARTHEST + np.arange(1, 4001) / 2, 2**23 + np.arange(999), [3.4e38]])
    z = np.float32(np.concatenate([beyond, -beyond]))
    assert np.isfinite(z).all()
    for answer in sine_and_slope(instructions, z):
        assert (np.abs(answer) <= 1 + 2.5e-7).all()  # not true of NaN


@each_set
def test_angles_that_are_not_finite_have_no_sine(instructions):
    for answer in sine_and_slope(instructions, np.float32([np.inf, -np.inf, np.nan])):
        assert np.isnan(answer).all()


def test_lengths_that_differ_are_refused():
    z, right, wrong = np.zeros(5, np.float32), np.zeros(5, np.float32), np.full(4, 7, np.float32)
    for sine, slope in ((wrong, right), (right, wrong)):
        with pytest.raises(ValueError, match="lengths are the same"):
            _native.sine_and_slope("portable", z, sine, slope)
    assert (wrong == 7).all()
    with pytest.raises(ValueError, match="no instruction set 'abacus'"):
        _native.sine_and_slope("abacus", z, right, right)
