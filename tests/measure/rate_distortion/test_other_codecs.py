import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rate_problems import SMALL, picture
from small_problems import repeatable

from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.fields import MLP, Pattern, Siren
from sparsine.fields.activations import Finer, Gauss
from sparsine.measure.rate_distortion.codecs.half_floats import draw, measure_half_floats, pack, unpack
from sparsine.measure.rate_distortion.codecs.pillow_codecs import JPEG, codecs, highest
from sparsine.measure.rate_distortion.pictures import as_picture, picture_psnr_db, picture_ssim

CODECS = codecs()


@pytest.mark.parametrize("name", list(CODECS))
def test_a_file_is_a_whole_picture_that_anybody_opens(name):
    codec, original = CODECS[name], picture(1, (31, 22))
    data = codec.encode(original, 50)
    with Image.open(io.BytesIO(data)) as opened:
        assert (opened.format, opened.size) == (codec.format, (22, 31))
        decoded = np.asarray(opened.convert("RGB"))
    made = codec.measure(original, 50)
    assert made.num_bytes == len(data)
    assert made.psnr_db == picture_psnr_db(original, decoded) > 20
    assert made.ssim == picture_ssim(original, decoded)


@pytest.mark.parametrize("name", list(CODECS))
def test_the_best_within_a_size_fits_and_the_next_does_not(name):
    codec, original = CODECS[name], picture(2, (40, 56))
    sizes = [len(codec.encode(original, quality)) for quality in (30, 60)]
    for budget in (*sizes, sizes[0] - 1, sum(sizes) // 2):
        best = codec.best_within(original, budget)
        assert len(codec.encode(original, best)) <= budget < len(codec.encode(original, best + 1))
    assert codec.best_within(original, 20) is None
    assert codec.best_within(original, 10**6) == codec.highest


@repeatable
@given(st.integers(-5, 20), st.integers(-5, 20), st.integers(0, 12))
def test_the_highest_is_found_wherever_it_is(edge, low, more):
    found = highest(lambda number: number <= edge, low, low + more)
    assert found == max((n for n in range(low, low + more + 1) if n <= edge), default=None)


def test_pictures_are_rounded_and_clamped():
    values = np.array([[[-0.2, 0.5, 1.3], [0.0, 1.0, 0.4999]]], np.float32)
    assert as_picture(values).tolist() == [[[0, 128, 255], [0, 255, 127]]]
    assert picture_psnr_db(picture(), picture()) == float("inf")
    off = picture().copy()
    off[0, 0, 0] ^= 1
    assert picture_psnr_db(picture(), off) == pytest.approx(10 * np.log10(255**2 * off.size))


def test_half_floats_are_two_bytes_each_behind_a_short_header():
    field = Siren(sizes=(2, 5, 3, 3), omega_0=12.5)
    theta = field.initial_theta(seed=4)
    data = pack(field, theta, (300, 17))
    assert len(data) == 4 + 1 + 2 * 4 + 4 + 4 + 2 * len(theta)
    read_field, read_theta, shape = unpack(data)
    assert (read_field, shape) == (field, (300, 17))
    assert torch.equal(read_theta, theta.half().float())


@pytest.mark.parametrize(
    "field",
    [
        Siren(sizes=(2, 5, 3), output_offset=0.5),
        MLP(sizes=(2, 5, 3), activation=Gauss()),
        MLP(sizes=(2, 5, 3), activation=Finer()),
    ],
)
def test_a_file_of_half_floats_refuses_what_its_header_cannot_say(field):
    with pytest.raises(BadInput, match="holds a SIREN without an output offset, but this is"):
        pack(field, field.initial_theta(0), (7, 5))


def test_dense_fields_are_measured_as_their_file_draws_them():
    originals = [picture(i) for i in range(2)]
    found = measure_half_floats(originals, 5, SMALL)
    assert list(found) == [1, 4]
    field = Siren(sizes=(2, 5, 5, 3), omega_0=SMALL.coin_omega_0)
    size = 4 + 1 + 2 * 4 + 8 + 2 * (field.num_weights + field.num_biases)
    assert [made.num_bytes for made in found[1] + found[4]] == [size] * 4
    assert found[4][1].psnr_db > found[1][1].psnr_db
    assert found[4][1].encode_seconds > found[1][1].encode_seconds > 0


def test_a_dense_field_is_drawn_on_its_grid():
    field = Siren(sizes=(2, 4, 3), omega_0=3.0)
    data = pack(field, field.initial_theta(seed=1), (6, 9))
    assert draw(data, make_engine(Pattern.full(field))).shape == (6, 9, 3)


def test_the_lowest_quality_of_a_tiny_picture_may_be_too_large():
    assert JPEG.best_within(picture(0, (8, 8)), 100) is None
