"""Scores that look at more than one weight, held against patterns that a person can check."""

import numpy as np
import pytest
import torch

from sparsine.fields import Pattern, Siren
from sparsine.fields.liveness import on_a_path
from sparsine.pruning import SCORES, Context, prune

# 2 - 3 - 2 - 1: six weights, then six, then two
FIELD = Siren(sizes=(2, 3, 2, 1))


def bits(*layers):
    return torch.tensor([int(c) for layer in layers for c in layer.replace(" ", "")], dtype=torch.bool)


def score(name, pattern, weights):
    theta = torch.cat([torch.tensor(weights, dtype=torch.float32), torch.zeros(pattern.num_biases)])
    return SCORES[name](pattern, theta, Context(torch.Generator()))


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        # all there: all on a way
        (bits("11 11 11", "111 111", "11"), bits("11 11 11", "111 111", "11")),
        # hidden 2 of the first layer has nothing coming in: what leaves it is a constant
        (bits("11 11 00", "111 111", "11"), bits("11 11 11", "110 110", "11")),
        # the second neuron of the second layer leads nowhere
        (bits("11 11 11", "111 111", "10"), bits("11 11 11", "111 000", "11")),
        # what leads to that neuron alone leads nowhere either
        (bits("11 11 00", "100 010", "10"), bits("11 00 00", "100 000", "10")),
        # one single way
        (bits("01 00 00", "100 000", "10"), bits("11 00 00", "100 000", "10")),
        # cut in the middle: nothing is on a way
        (bits("11 11 11", "000 000", "11"), bits("00 00 00", "000 000", "00")),
    ],
)
def test_a_weight_is_on_a_way_when_coordinates_reach_it_and_it_reaches_an_output(keep, expected):
    assert torch.equal(on_a_path(Pattern(FIELD, keep)) & keep, expected & keep)


def test_weights_on_no_way_go_before_all_others_at_any_magnitude():
    # hidden 2 leads nowhere, so that its large incoming weights (9, 8) are of no use
    pattern = Pattern(FIELD, bits("11 11 11", "110 110", "11"))
    weights = [1, 2, 3, 4, 9, 8, 5, 6, 7, 1.5, 2.5, 3.5]
    left = prune(pattern, torch.cat([torch.tensor(weights), torch.zeros(pattern.num_biases)]), 10, "connected", seed=0)
    assert torch.equal(left.keep, bits("11 11 00", "110 110", "11"))


def test_what_a_removal_cuts_off_goes_next():
    # one way: 5 - 0.1 - 5, and another: 2 - 2 - 2. The 0.1 goes first, and takes its two 5s with it.
    pattern = Pattern(FIELD, bits("10 01 00", "100 010", "11"))
    weights = torch.tensor([5, 2, 0.1, 2, 5, 2, *[0.0] * pattern.num_biases])
    assert score("connected", pattern, weights[:6].tolist()).argsort().tolist()[:3] == [2, 0, 4]
    assert torch.equal(prune(pattern, weights, 3, "connected", seed=0).keep, bits("00 01 00", "000 010", "01"))
    # plain magnitude leaves two fields of which neither has a way
    by_magnitude = prune(pattern, weights, 3, "magnitude", seed=0)
    assert not (on_a_path(by_magnitude) & by_magnitude.keep).any()


@pytest.mark.parametrize("survivors", [300, 60, 17, 5, 4, 1, 0])
def test_connected_pruning_leaves_hardly_a_weight_without_a_way(survivors):
    field = Siren(sizes=(2, 16, 15, 3), omega_0=30.0)
    pattern, theta = Pattern.full(field), field.initial_theta(seed=3)
    left = prune(pattern, theta, survivors, "connected", seed=0)
    assert left.num_weights == survivors
    stray = int((left.keep & ~on_a_path(left)).sum())
    # the last few that go together may have been a way's neighbours; a field of less than three weights has no way
    assert stray <= max(3, survivors // 20) or survivors < 3


def test_connected_equals_magnitude_where_every_weight_stays_on_a_way():
    field = Siren(sizes=(2, 40, 41, 3))
    pattern = Pattern.full(field)
    theta = torch.from_numpy(np.random.default_rng(1).normal(size=pattern.num_params)).float()
    kept = int(0.95 * pattern.num_weights)
    assert torch.equal(
        prune(pattern, theta, kept, "connected", seed=0).keep, prune(pattern, theta, kept, "magnitude", seed=0).keep
    )


def test_lamp_is_the_square_over_the_squares_that_are_not_smaller_in_its_layer():
    pattern = Pattern(FIELD, bits("11 10 00", "110 000", "01"))
    found = score("lamp", pattern, [3.0, -1.0, 2.0, 0.5, -4.0, 7.0])
    expected = [1, 1 / 14, 4 / 13, 0.25 / 16.25, 1, 1]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))


def test_lamp_keeps_the_largest_weight_of_every_layer_to_the_end():
    pattern = Pattern.full(FIELD)
    weights = [1e-3 * (i + 1) for i in range(6)] + [float(i + 1) for i in range(6)] + [1e-6, 2e-6]
    left = prune(pattern, torch.tensor([*weights, *[0.0] * pattern.num_biases]), 3, "lamp", seed=0)
    assert [int(keep.sum()) for keep in left.layer_keeps()] == [1, 1, 1]
