"""Codes that were written once and decode to the same for ever. Made by scripts/make_golden.py, on purpose only."""

import json
from pathlib import Path

import numpy as np
import pytest
import second_decoder

from sparsine.codec import Coder, decode, read_header
from sparsine.errors import BadInput
from sparsine.starts.start import load_start

GOLDEN = Path(__file__).parents[1] / "golden"
DRAWN = ["default", "coarse", "other-shape", "plain", "start-itself"]
NAMES = [*DRAWN, "escapes-and-groups"]
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())


def code_of(name):
    """(bytes, its start, what is expected of it)."""
    expected = EXPECTED[name]
    return (GOLDEN / f"{name}.spn").read_bytes(), load_start(GOLDEN / f"{expected['start']}.safetensors"), expected


def test_no_golden_code_is_missing_and_none_is_left_over():
    assert sorted(EXPECTED) == sorted(NAMES)
    assert sorted(path.stem for path in GOLDEN.glob("*.spn")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_code_decodes_to_the_same_numbers(name):
    data, start, expected = code_of(name)
    coder = Coder(start)
    code = coder.read(data)
    assert code.symbols.tolist() == expected["symbols"]
    assert coder.theta(code).numpy().astype("<f4").tobytes().hex() == expected["theta"]
    assert coder.pack(code) == data
    header = read_header(data)
    assert list(header.shape) == expected["shape"]
    assert (header.step_shift, header.scale_shift) == (expected["step_shift"], expected["scale_shift"])
    assert header.start_hash.hex() == expected["start_hash"]
    assert header.code_bytes == len(data) == expected["bytes"]


@pytest.mark.parametrize("name", DRAWN)
def test_a_golden_code_is_drawn_as_it_was(name):
    """Engines and processors round differently; frequencies of 8 over three layers keep that below 1e-4."""
    data, start, expected = code_of(name)
    drawing = decode(start, data).render()
    assert drawing.shape == (*expected["shape"], 1)
    assert np.allclose(drawing.ravel(), expected["drawn"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_second_decoder_agrees_on_golden_codes(name):
    data, _, expected = code_of(name)
    file = (GOLDEN / f"{expected['start']}.safetensors").read_bytes()
    symbols, theta, header = second_decoder.decode(file, data)
    assert symbols.tolist() == expected["symbols"]
    assert theta.astype("<f4").tobytes().hex() == expected["theta"]
    drawn = second_decoder.draw(file, theta, header["shape"])
    assert name not in DRAWN or np.allclose(drawn.ravel(), expected["drawn"], rtol=0, atol=1e-4)


def test_golden_codes_are_refused_by_the_other_golden_start():
    starts = {name: load_start(GOLDEN / f"{name}.safetensors") for name in ("start", "plain-start")}
    for name in NAMES:
        (other,) = starts.keys() - {EXPECTED[name]["start"]}
        with pytest.raises(BadInput, match="belongs to the start"):
            decode(starts[other], code_of(name)[0])
