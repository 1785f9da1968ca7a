"""Two decoders that share nothing but docs/format.md agree in every symbol, every bit of theta, and every header."""

import numpy as np
import pytest
import second_decoder
from codec_problems import calibrated, make_start, moved

from sparsine.codec import Coder, decode
from sparsine.meta.start import save_start


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
    assert header["shape"] == code.header.grid.shape
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


def test_the_decoders_draw_the_same(start, tmp_path):
    data = Coder(start).write(moved(start), (5, 7))
    file, theta = both(start, data, tmp_path)
    drawn = decode(start, data).render()
    assert np.allclose(drawn, second_decoder.draw(file, theta, (5, 7)), atol=1e-5)
