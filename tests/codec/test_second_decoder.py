"""Two decoders that share nothing but docs/format.md agree in every symbol, every bit of theta, and every header."""

import numpy as np
import pytest
import second_decoder
from codec_problems import GRID, calibrated, make_start, moved
from kinds_of_fields import KINDS, field_like
from small_problems import random_pattern

from sparsine.codec import Coder, decode
from sparsine.starts.start import Start, save_start

MADE_UP = ("quadratic", "radius")


@pytest.fixture(params=[make_start, calibrated])
def start(request):
    return request.param()


def both(start, data, tmp_path):
    save_start(tmp_path / "start.safetensors", start)
    file = (tmp_path / "start.safetensors").read_bytes()
    coder = Coder(start)
    code = coder.read(data)
    symbols, theta, header = second_decoder.decode(file, data)
    assert np.array_equal(symbols, code.symbols)
    assert theta.tobytes() == coder.theta(code).numpy().tobytes()
    assert header["shape"] == code.header.shape
    return file, theta


@pytest.mark.parametrize("shift", [-200, -64, 0, 40, 90, 300])
def test_the_decoders_agree_at_every_fineness(start, shift, tmp_path):
    both(start, Coder(start).write(moved(start), (5, 7), step_shift=shift), tmp_path)


def test_the_decoders_agree_on_escaped_numbers_and_steps_of_groups(start, tmp_path):
    coder = Coder(start)
    code = coder.read(coder.write(moved(start), (5, 7), group_steps=(0, 3, -7, 127, 0, -127)))
    rng = np.random.default_rng(0)
    code.symbols[:] = rng.integers(-(2**31) + 1, 2**31, len(code.symbols)) >> rng.integers(0, 31, len(code.symbols))
    both(start, coder.pack(code), tmp_path)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not any(made_up in kind for made_up in MADE_UP)])
def test_the_decoders_draw_the_same_field_of_every_kind(kind, tmp_path):
    field = field_like(kind, (2, 9, 7, 3), output_offset=0.5)
    pattern = random_pattern(field, 0.6, 2)
    start = Start(pattern, pattern.gather(field.initial_theta(2)[None])[0], GRID)
    data = Coder(start).write(moved(start), (5, 7))
    file, theta = both(start, data, tmp_path)
    drawn = decode(start, data).render()
    assert np.allclose(drawn, second_decoder.draw(file, theta, (5, 7)), atol=1e-5)


def test_the_decoders_draw_the_same(start, tmp_path):
    data = Coder(start).write(moved(start), (5, 7))
    file, theta = both(start, data, tmp_path)
    drawn = decode(start, data).render()
    assert np.allclose(drawn, second_decoder.draw(file, theta, (5, 7)), atol=1e-5)
