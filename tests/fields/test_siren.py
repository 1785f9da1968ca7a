import numpy as np
import pytest
import torch

from sparsine.errors import BadInput
from sparsine.fields import MLP, Siren, layers

PAPER = Siren(sizes=(2, 256, 256, 256, 256, 3))


def test_the_papers_field_has_197888_weights_and_1027_biases():
    assert (PAPER.num_weights, PAPER.num_biases) == (197_888, 1_027)
    assert PAPER.omega_0 == 200.0
    assert PAPER.output_offset == 0.0
    assert PAPER.layer_shapes == ((256, 2), (256, 256), (256, 256), (256, 256), (3, 256))


def test_a_small_field_counts_as_a_person_does():
    field = Siren(sizes=(3, 5, 7, 2))
    assert field.num_weights == 5 * 3 + 7 * 5 + 2 * 7
    assert field.num_biases == 5 + 7 + 2
    assert (field.in_features, field.out_features) == (3, 2)


@pytest.mark.parametrize("field", [PAPER, Siren(sizes=(3, 101, 67, 5), omega_0=30.0)])
def test_the_random_start_fills_the_papers_bounds_layer_by_layer(field):
    theta = field.initial_theta(seed=7)
    assert theta.dtype == torch.float32
    assert theta.shape == (field.num_weights + field.num_biases,)
    for layer, (weight, bias) in enumerate(layers(field, theta[None])):
        n_in = field.sizes[layer]
        bound = 1 / n_in if layer == 0 else np.sqrt(6 / n_in) / field.omega_0
        for part in (weight, bias):
            assert part.abs().max() <= bound * (1 + 1e-6)
            # uniform: it reaches both ends nearly, and its standard deviation is bound / sqrt(3)
            if part.numel() > 60:
                assert part.max() > 0.9 * bound
                assert part.min() < -0.9 * bound
                assert float(part.std()) == pytest.approx(bound / np.sqrt(3), rel=0.2)
                assert float(part.mean()) == pytest.approx(0, abs=5 * bound / np.sqrt(3 * part.numel()))


def test_the_random_start_depends_on_the_seed_only():
    field = Siren(sizes=(2, 7, 3))
    torch.manual_seed(0)
    first = field.initial_theta(seed=3)
    torch.manual_seed(1)
    np.random.seed(1)
    assert torch.equal(first, field.initial_theta(seed=3))
    assert not torch.equal(first, field.initial_theta(seed=4))


def test_layers_are_views_into_the_dense_vector_in_their_order():
    field = Siren(sizes=(2, 3, 1))
    dense = torch.arange(2 * 13, dtype=torch.float32).view(2, 13)
    (w0, b0), (w1, b1) = layers(field, dense)
    assert w0[0].tolist() == [[0, 1], [2, 3], [4, 5]]
    assert w1[0].tolist() == [[6, 7, 8]]
    assert (b0[0].tolist(), b1[0].tolist()) == ([9, 10, 11], [12])
    assert w0[1].tolist() == [[13, 14], [15, 16], [17, 18]]
    w1[1, 0, 2] = -1
    b0[0, 1] = -2
    assert (dense[1, 8], dense[0, 10]) == (-1, -2)


@pytest.mark.parametrize("sizes", [(2, 3), (2,), (), (2, 0, 3), (2, 5, -1), (0, 5, 3)])
def test_sizes_without_a_hidden_layer_or_without_neurons_are_refused(sizes):
    with pytest.raises(BadInput, match="hidden layer") as error:
        Siren(sizes=sizes)
    assert str(sizes) in str(error.value)


@pytest.mark.parametrize("omega_0", [0.0, -30.0, float("inf"), float("nan")])
def test_an_omega_that_is_no_frequency_is_refused(omega_0):
    with pytest.raises(BadInput, match=f"omega_0 must be positive and finite, but got {omega_0}"):
        Siren(sizes=(2, 5, 3), omega_0=omega_0)


@pytest.mark.parametrize("offset", [float("inf"), float("-inf"), float("nan")])
def test_an_output_offset_that_is_not_finite_is_refused(offset):
    with pytest.raises(BadInput, match=f"output_offset must be finite, but got {offset}"):
        Siren(sizes=(2, 5, 3), output_offset=offset)


def test_a_field_survives_its_description():
    field = Siren(sizes=(3, 5, 7, 2), omega_0=31.5, output_offset=0.5)
    assert MLP.from_dict(field.to_dict()) == field


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "relu"},
        {"kind": None},
        {"sizes": [2, 3]},
        {"sizes": 5},
        {"sizes": ["two", 5, 3]},
        {"omega_0": "fast"},
        {"omega_0": None},
        {"output_offset": []},
    ],
)
def test_a_description_of_something_else_is_refused(change):
    with pytest.raises(BadInput):
        MLP.from_dict({**Siren(sizes=(2, 5, 3)).to_dict(), **change})


@pytest.mark.parametrize("missing", ["kind", "sizes", "omega_0", "output_offset"])
def test_a_description_that_lacks_something_is_refused(missing):
    description = Siren(sizes=(2, 5, 3)).to_dict()
    del description[missing]
    with pytest.raises(BadInput, match="not the description of a field"):
        MLP.from_dict(description)
