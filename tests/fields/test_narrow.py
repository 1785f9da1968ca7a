"""Layers without the neurons that lead to no output: which stay, and what theta and they say of each other."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_problems import field_of, random_pattern, repeatable

from sparsine.fields import MLP, Pattern, Siren
from sparsine.fields.encodings import FourierFeatures
from sparsine.fields.layers import layers
from sparsine.fields.liveness import live_params
from sparsine.fields.narrow import Narrow

drawn = st.tuples(
    st.lists(st.integers(1, 9), min_size=3, max_size=5),
    st.sampled_from([0.0, 0.07, 0.2, 0.5, 0.93, 1.0]),
    st.integers(0, 999),
)


def made(drawn):
    sizes, density, seed = drawn
    return random_pattern(Siren(sizes=tuple(sizes)), density, seed)


def by_hand():
    """2-3-2-1. Neuron 0 of the first hidden level leads to a neuron that leads nowhere, neuron 1 to no neuron at all;
    neuron 2 leads to the output although no input reaches it."""
    keep = torch.tensor([[1, 0], [1, 1], [0, 0]]), torch.tensor([[1, 0, 0], [0, 0, 1]]), torch.tensor([[0, 1]])
    return Pattern(Siren(sizes=(2, 3, 2, 1)), torch.cat([k.flatten() for k in keep]).bool())


def test_a_small_pattern_is_cut_as_a_person_would():
    narrow = Narrow(by_hand())
    assert [level.tolist() for level in narrow.levels] == [[], [2], [1], [0]]
    assert narrow.widths == (0, 1, 1, 1)
    # theta: weights 0..5 as they survive, then biases of 3, 2 and 1 neurons
    theta = torch.arange(10.0, 22.0)[None, : by_hand().num_params]
    assert by_hand().num_params == 12
    (first, first_bias), (second, second_bias), (last, last_bias) = narrow.layers(narrow.scatter(theta))
    assert first.shape == (1, 1, 0)
    assert first_bias.tolist() == [[18.0]]  # of neuron 2
    assert (second.tolist(), second_bias.tolist()) == ([[[14.0]]], [[20.0]])
    assert (last.tolist(), last_bias.tolist()) == ([[[15.0]]], [[21.0]])


def test_an_input_that_nothing_reads_is_left_out():
    field = MLP(sizes=(2, 3, 1), encoding=FourierFeatures(num_frequencies=2))
    keep = torch.ones(field.num_weights, dtype=torch.bool)
    keep[:12].view(3, 4)[:, 1] = False
    narrow = Narrow(Pattern(field, keep))
    assert narrow.widths == (3, 3, 1)
    assert narrow.inputs(torch.tensor([[1.0, 2.0, 3.0, 4.0]])).tolist() == [[1.0, 3.0, 4.0]]


def test_nothing_is_copied_where_nothing_is_pruned():
    pattern = Pattern.full(field_of(2, 7, 5, 3))
    narrow, theta, encoded = Narrow(pattern), torch.rand(3, pattern.num_params), torch.rand(4, 2)
    assert narrow.scatter(theta) is theta
    assert narrow.gather(theta) is theta
    assert narrow.inputs(encoded) is encoded


@repeatable
@given(drawn)
def test_what_stays_is_what_the_whole_matrices_say_of_these_neurons(drawn):
    pattern = made(drawn)
    narrow, theta = Narrow(pattern), torch.randn(2, pattern.num_params)
    whole = list(layers(pattern.field, pattern.scatter(theta)))
    found = list(narrow.layers(narrow.scatter(theta)))
    for (weight, bias), (few, its_bias), before, after in zip(
        whole, found, narrow.levels, narrow.levels[1:], strict=False
    ):
        assert torch.equal(weight[:, after][:, :, before], few)
        assert torch.equal(bias[:, after], its_bias)


@repeatable
@given(drawn)
def test_gather_is_the_adjoint_of_scatter_and_zero_for_the_dead(drawn):
    pattern = made(drawn)
    narrow = Narrow(pattern)
    theta = torch.randn(2, pattern.num_params, dtype=torch.float64)
    numbers = torch.randn(2, narrow.num_numbers, dtype=torch.float64)
    found = narrow.gather(numbers)
    torch.testing.assert_close((narrow.scatter(theta) * numbers).sum(), (theta * found).sum())
    dead = ~live_params(pattern)
    assert torch.equal(found[:, dead], torch.zeros(2, int(dead.sum()), dtype=torch.float64))
    assert (found[:, ~dead] != 0).all()


@pytest.mark.parametrize("count", [0, 1])
def test_no_or_one_signal_is_fine(count):
    narrow = Narrow(by_hand())
    assert narrow.scatter(torch.ones(count, 12)).shape == (count, narrow.num_numbers)
    assert narrow.gather(torch.ones(count, narrow.num_numbers)).shape == (count, 12)
