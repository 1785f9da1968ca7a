import numpy as np
import pytest

from sparsine.measure.comparison.linear import cosines, fixed_cosines, from_cosines, own_cosines, principal_components

RNG = np.random.default_rng(3)
SHAPES = [(9, 1), (6, 7, 3), (4, 3, 5, 2)]


def pictures(count, shape):
    """Signals whose coefficients fall, so that some are worth more than others."""
    coefficients = RNG.normal(size=(count, *shape))
    for axis in range(len(shape) - 1):
        sizes = 1 / (1 + np.arange(shape[axis]))
        coefficients *= np.expand_dims(sizes, [0, *(a + 1 for a in range(len(shape)) if a != axis)])
    return 0.5 + from_cosines(coefficients, luma=False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("luma", [False, True])
def test_all_coefficients_tell_the_signal(shape, luma):
    if luma and shape[-1] != 3:
        pytest.skip("needs red, green and blue")
    signals = pictures(4, shape)
    np.testing.assert_allclose(from_cosines(cosines(signals, luma=luma), luma=luma), signals, atol=1e-12)
    everything = int(np.prod(shape))
    np.testing.assert_allclose(fixed_cosines(signals, signals, everything, luma=luma), signals, atol=1e-12)
    own = np.stack(list(own_cosines(signals, signals, everything, luma=luma)))
    np.testing.assert_allclose(own, signals, atol=1e-12)


def test_cosines_are_orthonormal():
    signals = RNG.normal(size=(3, 5, 6, 2))
    told = cosines(signals, luma=False)
    np.testing.assert_allclose(np.square(told).sum(axis=(1, 2, 3)), np.square(signals).sum(axis=(1, 2, 3)))
    assert abs(told[0, 0, 0] - signals[0].sum(axis=(0, 1)) / np.sqrt(30)).max() < 1e-12


def test_none_of_the_numbers_leave_the_mean():
    train, test = pictures(7, (6, 7, 3)), pictures(2, (6, 7, 3))
    for found in (fixed_cosines(train, test, 0, luma=True), np.stack(list(own_cosines(train, test, 0, luma=True))),
                  principal_components(train, test, 0)):  # fmt: skip
        np.testing.assert_allclose(found, np.stack([train.mean(axis=0)] * 2), atol=1e-12)


def error(found, test):
    return np.square(found - test).mean()


def test_more_numbers_are_never_worse_and_own_ones_are_best():
    train, test = pictures(40, (8, 8, 1)), pictures(5, (8, 8, 1))
    fixed = [error(fixed_cosines(train, test, m, luma=False), test) for m in (0, 5, 20, 64)]
    own = [error(np.stack(list(own_cosines(train, test, m, luma=False))), test) for m in (0, 5, 20, 64)]
    assert fixed == sorted(fixed, reverse=True)
    assert all(b < a for a, b in zip(fixed[1:3], own[1:3], strict=True))


def test_the_fixed_set_is_that_of_the_training_signals():
    """The first test signal has all its strength where training signals have none."""
    train = np.zeros((9, 4, 4, 1))
    train[:, 0, 0, 0] = RNG.normal(size=9)
    strange = np.zeros((1, 4, 4, 1))
    strange[0, 3, 3, 0] = 5.0
    found = cosines(fixed_cosines(from_cosines(train, luma=False), from_cosines(strange, luma=False), 1, luma=False),
                    luma=False)  # fmt: skip
    assert abs(found[0, 3, 3, 0]) < 1e-12


def test_principal_components_are_the_best_linear_code_of_the_training_signals():
    train = pictures(12, (5, 5, 1))
    flat = train.reshape(12, -1)
    _, _, rows = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    found = principal_components(train, train, 3)
    expected = flat.mean(axis=0) + (flat - flat.mean(axis=0)) @ rows[:3].T @ rows[:3]
    np.testing.assert_allclose(found.reshape(12, -1), expected, atol=1e-10)
    np.testing.assert_allclose(principal_components(train, train, 50), train, atol=1e-10)
