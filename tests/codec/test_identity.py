"""The hash of a start: everything that decides what is drawn is in it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from codec_problems import GRID, make_start
from kinds_of_fields import KINDS, Quadratic, Radius, field_like, registered

from sparsine.codec import Coder, FittedField, decode, read_header
from sparsine.codec.format.identity import start_hash
from sparsine.errors import BadInput
from sparsine.fields import MLP, Pattern
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures
from sparsine.fields.liveness import live_params
from sparsine.signals.kind import VALUES
from sparsine.starts.start import Start, load_start, save_start

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


def test_where_samples_lie_and_what_they_are_is_in_the_hash_and_how_many_there_are_is_not():
    start = make_start()
    coarser = replace(start, domain=start.domain.resized((3, 8)))
    assert start_hash(coarser) == start_hash(start)
    others = [
        replace(start, domain=replace(GRID, alignment="corners")),
        replace(start, domain=replace(GRID, axis_order="array")),
        replace(start, domain=replace(GRID, extent=((-1.0, 2.0), (0.5, 0.8)))), replace(start, kind=VALUES),
    ]  # fmt: skip
    assert len({start_hash(other) for other in [start, *others]}) == len(others) + 1


def test_a_code_is_refused_by_a_start_of_the_same_numbers_and_another_activation():
    start = start_with(activation=Gauss(sigma=0.3))
    data = Coder(start).write(start.theta, (5, 7))
    assert decode(start, data).render().shape == (5, 7, 3)
    for other in (Gauss(sigma=0.31), Finer(omega_0=3.0), Sine(omega_0=3.0)):
        with pytest.raises(BadInput, match="belongs to the start"):
            decode(start_with(activation=other), data)


def test_a_code_says_how_many_numbers_it_has_and_leaves_out_those_that_cannot_matter():
    field = MLP(sizes=(2, 4, 3), encoding=FourierFeatures(num_frequencies=20))
    keep = torch.ones(field.num_weights, dtype=torch.bool)
    keep[40 * 4 :].view(3, 4)[:, 1] = False  # nothing leads from the second neuron to an output
    pattern = Pattern(field, keep)
    start = Start(pattern, torch.arange(pattern.num_params) / 100, GRID)
    coder = Coder(start)
    code = coder.read(coder.write(start.theta + 0.5, (5, 7)))
    assert code.header.num_numbers == len(code.symbols) == pattern.num_params - 40 - 1
    drawn, dead = coder.theta(code), ~live_params(pattern)
    assert torch.equal(drawn[dead], start.theta[dead])
    assert (drawn[~dead] - start.theta[~dead] - 0.5).abs().max() < 1e-4
    assert np.array_equal(decode(start, coder.pack(code)).render(), FittedField(start, drawn, (5, 7)).render())


def test_notes_travel_with_a_code_and_change_nothing_that_is_drawn():
    start = make_start()
    coder, notes = Coder(start), {"steps": 100, "optimizer": "adam"}
    plain, noted = coder.write(start.theta + 0.01, (5, 7)), coder.write(start.theta + 0.01, (5, 7), notes=notes)
    assert read_header(plain).read_notes() == {}
    assert read_header(noted).read_notes() == notes
    assert coder.pack(coder.read(noted)) == noted
    assert np.array_equal(coder.read(noted).symbols, coder.read(plain).symbols)
    with pytest.raises(BadInput, match="bytes of notes: 5"):
        coder.write(start.theta, (5, 7), notes={"long": "x" * 5000})
    for broken in (b"[1]", b"\xff", b"{", b"[" * 4000):
        with pytest.raises(BadInput, match="notes of the code are not"):
            replace(read_header(noted), notes=broken).read_notes()
