"""The hash of a start: everything that decides what is drawn is in it."""

import hashlib
import struct
from dataclasses import replace

import pytest
import torch
from codec_problems import GRID, make_start
from kinds_of_fields import KINDS, Quadratic, Radius, field_like, registered

from sparsine.codec import Coder, decode, read_header
from sparsine.codec.identity import start_hash
from sparsine.errors import BadInput
from sparsine.fields import MLP, Pattern
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures
from sparsine.meta.start import Start, checksum, load_start, save_start

NUMBERS = torch.linspace(-1, 1, 9 * 2 + 3 * 9 + 12)


def start_with(**of_field):
    field = MLP(sizes=(2, 9, 3), **of_field)
    return Start(Pattern.full(field), NUMBERS[: field.num_weights + field.num_biases].clone(), GRID)


def test_fields_that_differ_in_anything_have_starts_of_different_hashes():
    same_shape = [
        dict(activation=Sine(omega_0=30.0)), dict(activation=Sine(omega_0=31.0)),
        dict(activation=Sine(omega_0=30.0, omega_first=31.0)), dict(activation=Sine(omega_0=30.0, omega_first=29.0)),
        dict(activation=Finer(omega_0=30.0)), dict(activation=Finer(omega_0=30.0, first_bias=2.0)),
        dict(activation=Gauss(sigma=30.0)), dict(activation=Gauss(sigma=0.1)), dict(activation=Relu()),
        dict(activation=Quadratic(a=30.0)),
        dict(encoding=FourierFeatures(num_frequencies=1)),
        dict(encoding=FourierFeatures(num_frequencies=1, frequency_seed=1)),
        dict(encoding=FourierFeatures(num_frequencies=1, frequency_scale=3.0)),
        dict(activation=Gauss(sigma=0.1), output_offset=0.5), dict(output_offset=0.5), dict(output_offset=0.25),
    ]  # fmt: skip
    starts = [start_with(**of_field) for of_field in same_shape]
    assert len({start.digest for start in starts}) == 1  # the numbers are the same
    assert len({start_hash(start) for start in starts}) == len(same_shape)


@pytest.mark.parametrize("kind", KINDS)
def test_a_start_has_its_hash_still_when_it_was_written_and_read(kind, tmp_path):
    field = field_like(kind, (2, 9, 3))
    start = Start(Pattern.full(field), field.initial_theta(1), GRID)
    save_start(tmp_path / "start.safetensors", start)
    with registered(Quadratic, Radius):
        again = load_start(tmp_path / "start.safetensors")
    assert again.field == field
    assert start_hash(again) == start_hash(start)


def test_whole_numbers_for_constants_are_the_same_constants():
    assert start_hash(start_with(activation=Gauss(sigma=2))) == start_hash(start_with(activation=Gauss(sigma=2.0)))
    assert start_hash(start_with(activation=Sine(omega_0=30, omega_first=60))) == start_hash(
        start_with(activation=Sine(omega_0=30.0, omega_first=60.0))
    )


def test_a_sirens_hash_is_made_of_the_bytes_it_always_was():
    start = make_start()
    text = b"sparsine-code-1" + struct.pack("<5I", 4, 2, 9, 7, 3) + struct.pack("<2d", 6.5, 0.5)
    text += bytes([1, 1]) + struct.pack("<4d", -1.0, 2.0, 0.5, 0.75)
    tensors = bytes.fromhex(checksum({"theta": start.theta, "pattern": start.pattern.to_bits()}))
    assert start_hash(start) == hashlib.sha256(text + tensors).digest()[:8]


def test_a_code_is_refused_by_a_start_of_the_same_numbers_and_another_activation():
    start = start_with(activation=Gauss(sigma=0.3))
    data = Coder(start).write(start.theta, (5, 7))
    assert decode(start, data).render().shape == (5, 7, 3)
    for other in (Gauss(sigma=0.31), Finer(omega_0=3.0), Sine(omega_0=3.0)):
        with pytest.raises(BadInput, match="belongs to the start"):
            decode(start_with(activation=other), data)


def test_a_header_says_what_the_first_layer_is_given_unless_the_field_is_a_siren():
    expected = {Sine(omega_0=3.0): None, Sine(omega_0=3.0, omega_first=4.0): 2, Gauss(sigma=0.3): 2}
    for activation, width in expected.items():
        start = start_with(activation=activation)
        header = read_header(Coder(start).write(start.theta, (5, 7)))
        assert (header.sizes, header.encoded_width, header.most_params) == ((2, 9, 3), width, 57)
    field = MLP(sizes=(2, 9, 3), encoding=FourierFeatures(num_frequencies=20))
    start = Start(Pattern.full(field), field.initial_theta(0), GRID)
    header = read_header(Coder(start).write(start.theta, (5, 7)))
    assert (header.sizes, header.encoded_width, header.num_params) == ((2, 9, 3), 40, 40 * 9 + 9 * 3 + 12)
    with pytest.raises(BadInput, match="parameters: 400; from 1 to 399"):
        replace(header, num_params=400)
