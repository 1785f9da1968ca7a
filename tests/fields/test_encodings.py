"""Fourier features: the paper's formula, frequencies that are the same everywhere, and what is refused."""

import math

import pytest
import torch
from kinds_of_fields import ENCODINGS_TRIED, Radius, registered

from sparsine.errors import BadInput
from sparsine.fields import ENCODINGS, MLP, Pattern
from sparsine.fields.described import from_description
from sparsine.fields.encodings import FourierFeatures, Identity

COORDS = torch.linspace(-1, 1, 14, dtype=torch.float64).reshape(7, 2)


def test_features_are_cosines_and_sines_of_the_frequencies():
    encoding = FourierFeatures(num_frequencies=5, frequency_scale=1.5, frequency_seed=3)
    angles = 2 * math.pi * COORDS @ encoding.frequencies(2).T
    torch.testing.assert_close(encoding(COORDS), torch.cat([angles.cos(), angles.sin()], dim=1), rtol=1e-12, atol=1e-12)


def test_frequencies_have_the_bits_that_they_have_on_every_machine():
    # multiples of 2**-32, from whole-number arithmetic on the generator's bits
    frequencies = FourierFeatures(num_frequencies=3, frequency_scale=1.0).frequencies(2)
    assert (frequencies * 2**32).to(torch.int64).tolist() == [
        [-6709334884, -2618501826],
        [-2753387102, -766571123],
        [2487378711, -4320221789],
    ]


def test_frequencies_spread_as_normal_numbers_do():
    frequencies = FourierFeatures(num_frequencies=20_000, frequency_scale=3.0).frequencies(2) / 3
    count = frequencies.numel()
    assert abs(float(frequencies.mean())) < 5 / count**0.5
    assert float(frequencies.std()) == pytest.approx(1, abs=5 / count**0.5)
    for limit, beyond in ((1.0, 0.3173), (2.0, 0.0455)):
        assert float((frequencies.abs() > limit).double().mean()) == pytest.approx(beyond, rel=0.06)
    assert 4 < frequencies.abs().max() < 6
    assert abs(float((frequencies[:, 0] * frequencies[:, 1]).mean())) < 5 / count**0.5


def test_seed_and_number_of_coordinates_decide_the_frequencies_and_the_scale_multiplies_them():
    first, other = FourierFeatures(frequency_seed=1), FourierFeatures(frequency_seed=2)
    assert torch.equal(first.frequencies(2), FourierFeatures(frequency_seed=1).frequencies(2))
    assert not torch.equal(first.frequencies(2), other.frequencies(2))
    assert first.frequencies(3).shape == (64, 3)
    halved = FourierFeatures(frequency_seed=1, frequency_scale=first.frequency_scale / 2)
    assert torch.equal(halved.frequencies(2), first.frequencies(2) / 2)


@pytest.mark.parametrize("encoding", ENCODINGS_TRIED.values(), ids=ENCODINGS_TRIED.keys())
def test_an_encoding_keeps_shape_type_and_its_promise_of_a_width(encoding):
    for coords in (COORDS, COORDS.float(), COORDS.reshape(7, 1, 2), COORDS[0]):
        given = coords.clone()
        encoded = encoding(coords)
        assert encoded.shape == (*coords.shape[:-1], encoding.width(2))
        assert encoded.dtype == coords.dtype
        assert torch.equal(coords, given)


@pytest.mark.parametrize("encoding", ENCODINGS_TRIED.values(), ids=ENCODINGS_TRIED.keys())
def test_an_encoding_survives_its_description(encoding):
    with registered(Radius):
        assert from_description(encoding.to_dict(), ENCODINGS) == encoding


def test_the_first_layer_is_as_wide_as_what_it_is_given():
    field = MLP(sizes=(2, 7, 5, 3), encoding=FourierFeatures(num_frequencies=4))
    assert (field.in_features, field.widths) == (2, (8, 7, 5, 3))
    assert field.layer_shapes == ((7, 8), (5, 7), (3, 5))
    assert field.num_weights == 7 * 8 + 5 * 7 + 3 * 5
    assert field.num_biases == 15
    first, *_ = Pattern.full(field).layer_keeps()
    assert first.shape == (7, 8)
    # SIREN's bound is that of the numbers that the layer is given
    assert field.initial_theta(0)[:56].abs().max() <= 1 / 8


@pytest.mark.parametrize(
    ("constants", "words"),
    [
        ({"num_frequencies": 0}, "num_frequencies is 0"), ({"num_frequencies": 40_000}, "num_frequencies is 40000"),
        ({"frequency_scale": 0.0}, "frequency_scale must be positive"),
        ({"frequency_seed": -1}, "frequency_seed is -1"),
        ({"frequency_scale": float("nan")}, "frequency_scale must be positive"),
    ],
)  # fmt: skip
def test_constants_out_of_range_are_refused(constants, words):
    with pytest.raises(BadInput, match=words):
        FourierFeatures(**constants)


def test_an_unknown_encoding_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="unknown encoding 'radius'; known are none, fourier"):
        from_description(Radius().to_dict(), ENCODINGS)
    assert from_description({"name": "none"}, ENCODINGS) == Identity()
