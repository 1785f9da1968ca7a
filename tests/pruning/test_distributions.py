"""How many weights stay in each layer, held against numbers that a person can check."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_problems import field_of, random_pattern, repeatable

from sparsine.errors import BadInput
from sparsine.fields import Pattern
from sparsine.pruning import DISTRIBUTIONS, PruningConfig, prune
from sparsine.pruning.distributions import in_layers, shared_out

FIELD = field_of(2, 9, 9, 3)  # 18, 81 and 27 weights
FULL = Pattern.full(FIELD)


def theta_of(pattern, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=pattern.num_params).astype(np.float32))


def left(distribution, num_survivors, pattern=FULL, score="magnitude"):
    return in_layers(prune(pattern, theta_of(pattern), num_survivors, score, seed=0, distribution=distribution))


@pytest.mark.parametrize(
    ("num_survivors", "expected"),
    [
        (126, [18, 81, 27]),
        (42, [6, 27, 9]),  # a third of each
        (63, [9, 41, 13]),  # a half is 9, 40.5 and 13.5: of equal remainders the first layer's is rounded up
        (10, [2, 6, 2]),  # 1.43, 6.43 and 2.14
        (3, [1, 1, 1]),  # 0.43, 1.93 and 0.64: none is left without
        (2, [0, 1, 1]),  # but where there are not enough
        (0, [0, 0, 0]),
    ],
)
def test_uniform_leaves_the_same_fraction_of_every_layer(num_survivors, expected):
    assert left("uniform", num_survivors) == expected


@pytest.mark.parametrize(
    ("num_survivors", "expected"),
    [
        (126, [18, 81, 27]),
        # in proportion to 2 + 9, 9 + 9 and 9 + 3: 16.90, 27.66 and 18.44
        (63, [17, 28, 18]),
        # 26.8 of 18 and 29.3 of 27: both stay whole, and the rest is the middle's
        (100, [18, 55, 27]),
        # 18.2 of 18 stays whole; of the other 50, 18 and 12 parts of 30
        (68, [18, 30, 20]),
        (41, [11, 18, 12]),
        (3, [1, 1, 1]),
    ],
)
def test_erk_leaves_weights_in_proportion_to_the_sum_of_the_sides_of_a_matrix(num_survivors, expected):
    assert left("erk", num_survivors) == expected


def test_the_fraction_that_erk_leaves_goes_with_the_sides_over_the_area():
    shapes = FIELD.layer_shapes
    of_each = [(n_in + n_out) / (n_in * n_out) for n_out, n_in in shapes]
    fractions = [n / (a * b) for n, (a, b) in zip(left("erk", 41), shapes, strict=True)]
    assert np.allclose(np.divide(fractions, of_each), fractions[0] / of_each[0])


def test_global_leaves_the_highest_scores_wherever_they_are():
    sizes = theta_of(FULL)[:126].abs()
    smaller = prune(FULL, theta_of(FULL), 30, "magnitude", seed=0)
    assert torch.equal(smaller.survivors, sizes.argsort()[-30:].sort().values)
    assert in_layers(smaller) == left("global", 30)


@pytest.mark.parametrize("distribution", ["uniform", "erk"])
def test_in_each_layer_the_highest_scores_stay(distribution):
    theta = theta_of(FULL)
    smaller = prune(FULL, theta, 63, "magnitude", seed=0, distribution=distribution)
    first = 0
    for keep in smaller.layer_keeps():
        sizes = theta[first : first + keep.numel()].abs()
        assert torch.equal(keep.flatten(), sizes >= sizes.sort(descending=True).values[int(keep.sum()) - 1])
        first += keep.numel()


@repeatable
@given(st.sampled_from(sorted(DISTRIBUTIONS)), st.integers(0, 126), st.integers(0, 999), st.floats(0.05, 1.0))
def test_exactly_as_many_survive_as_asked_and_no_layer_loses_all_but_where_it_must(name, number, seed, density):
    pattern = random_pattern(FIELD, density, seed)
    number = min(number, pattern.num_weights)
    smaller = prune(pattern, theta_of(pattern, seed), number, "magnitude", seed, distribution=name)
    assert smaller.num_weights == number
    assert not (smaller.keep & ~pattern.keep).any()
    before, after = in_layers(pattern), in_layers(smaller)
    if name != "global" and number >= sum(n > 0 for n in before):
        assert all(now > 0 for now, then in zip(after, before, strict=True) if then)


@repeatable
@given(st.lists(st.tuples(st.integers(1, 10**12), st.integers(0, 10**9)), min_size=1, max_size=6), st.data())
def test_what_is_shared_out_adds_up_within_bounds(layers, data):
    shares, at_most = zip(*layers, strict=True)
    total = data.draw(st.integers(0, sum(at_most)))
    counts = shared_out(total, shares, at_most)
    assert sum(counts) == total
    assert all(0 <= count <= most for count, most in zip(counts, at_most, strict=True))


def test_a_layer_with_few_weights_left_keeps_them_and_the_others_make_up_for_it():
    keep = torch.ones(126, dtype=torch.bool)
    keep[5:18] = False
    assert left("uniform", 42, Pattern(FIELD, keep)) == [5, 28, 9]  # a third of 18 would be 6


@dataclass(frozen=True)
class Says:
    counts: tuple[int, ...]

    def __call__(self, pattern, scores, num_survivors):
        return self.counts


@pytest.mark.parametrize("counts", [(10, 10, 9), (19, 2, 9), (-1, 22, 9), (15, 15), (10, 10, 10, 0)])
def test_a_distribution_that_says_what_cannot_be_is_refused(counts):
    with pytest.raises(BadInput, match=r"must leave 30 weights in layers that have \[18, 81, 27\], but says"):
        left(Says(counts), 30)
    assert left(Says((0, 30, 0)), 30) == [0, 30, 0]


def test_a_run_asks_for_its_distribution_by_name():
    with pytest.raises(BadInput, match=r"unknown distribution 'gaussian'; known are global, uniform, erk"):
        PruningConfig(distribution="gaussian")
    assert PruningConfig(distribution="erk").make_distribution() is DISTRIBUTIONS["erk"]
