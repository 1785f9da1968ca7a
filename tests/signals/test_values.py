"""Values are what they claim to be, or are refused."""

import numpy as np
import pytest
import torch
from PIL import Image
from small_problems import MadeUpSignals

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals import open_files
from sparsine.signals.kind import VALUES
from sparsine.signals.kinds import Distance, Grey, Rgb
from sparsine.signals.values import as_values, load_values

BYTES = np.random.default_rng(0).integers(0, 256, (5, 3, 3), dtype=np.uint8)
BYTES[0, 0] = (0, 255, 128)
UNIT = BYTES.astype(np.float32) / 255


@pytest.mark.parametrize(
    "given",
    [
        BYTES,
        UNIT,
        UNIT.astype(np.float64),
        UNIT.astype(">f8"),
        UNIT.tolist(),
        np.asfortranarray(UNIT),
        BYTES.astype(np.uint16) * 257,
        (BYTES.astype(">u2") * 257).astype(">u2"),
        torch.from_numpy(UNIT),
        torch.from_numpy(UNIT).requires_grad_(),
        torch.from_numpy(BYTES),
        Image.fromarray(BYTES),
    ],
    ids=lambda given: f"{type(given).__name__} of {getattr(given, 'dtype', '')}",
)
def test_the_same_picture_gives_the_same_values_however_it_is_given(given):
    values = as_values(given, Rgb())
    assert values.dtype == np.float32
    assert np.abs(values - UNIT).max() <= 1e-7


def test_half_precision_is_taken_as_it_is():
    for given in (UNIT.astype(np.float16), torch.from_numpy(UNIT).bfloat16()):
        assert np.abs(as_values(given, Rgb()) - UNIT).max() < 0.01


@pytest.mark.parametrize("kind", [Rgb(), Grey()], ids=lambda kind: kind.name)
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (BYTES.astype(np.float32), "values from 0 to 1, but they run from 0 to 25"),
        (BYTES / 127.5 - 1, "values from 0 to 1, but they run from -1 to 1"),
        (BYTES / 100.0, "values from 0 to 1, but they run from 0 to 2"),
        (1.3 * UNIT, "values from 0 to 1, but they run from 0 to 1.3"),
        (BYTES.astype(np.int64), "int64 from 0 to 25"),
        (BYTES.astype(np.int64).tolist(), "int64 from 0 to 25"),
        (
            BYTES.astype(np.int16),
            "0 to 1 in floating point, or as uint8 or uint16, but they are int16",
        ),
        (BYTES.astype(np.uint32), "are uint32"),
        (BYTES > 128, "are bool"),
        (BYTES * 1j, "are complex128"),
        (BYTES.astype(str), "are <U"),
        (np.array([{}, {}]), "are object"),
        (torch.from_numpy(BYTES > 128), "are bool"),
        (np.full((5, 3, 3), np.nan), "NaN or infinity"),
        (np.where(BYTES > 128, np.inf, 0.0), "NaN or infinity"),
        (np.full((5, 3, 3), 1e200), r"1e\+200"),
        ([[0.5, 0.5], [0.5]], "is an array"),
        (np.ma.masked_greater(UNIT, 0.5), "masked"),
    ],
)
def test_what_is_not_brightness_is_refused_with_what_was_given_and_expected(kind, given, words):
    with pytest.raises(BadInput, match=words):
        as_values(given, kind)


def test_what_filters_overshoot_is_no_other_range():
    overshot = np.clip(1.5 * UNIT - 0.25, -0.2, 1.2)
    assert (as_values(overshot, Rgb()) == overshot.astype(np.float32)).all()


def test_distances_have_a_range_of_their_own():
    fields = np.linspace(-1.0, 2.8, 15).reshape(5, 3, 1)
    assert (as_values(fields, Distance()) == fields.astype(np.float32)).all()
    with pytest.raises(BadInput, match=r"distance values from -1 to 1, but they run from -32 to 89\.6"):
        as_values(32 * fields, Distance())  # in pixels
    with pytest.raises(BadInput, match=r"from -1 to 1 in floating point, but they are uint8"):
        as_values(BYTES, Distance())
    with pytest.raises(BadInput, match="PIL image"):
        as_values(Image.fromarray(BYTES), Distance())


def test_values_of_a_kind_that_is_not_known_may_be_any_finite_numbers():
    assert (as_values(1e6 * UNIT, VALUES) == 1e6 * UNIT).all()
    for wrong in (BYTES, np.full((2, 2, 1), np.nan)):
        with pytest.raises(BadInput):
            as_values(wrong, VALUES)


def test_an_array_that_was_given_is_left_as_it_was():
    before = UNIT.copy()
    as_values(before, Rgb())
    assert (before == UNIT).all()


def pictures():
    """PIL images of many modes, and how each is saved."""
    rng = np.random.default_rng(1)
    grey16 = rng.integers(0, 65536, (9, 7), dtype=np.uint16)
    colours = Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8))
    alpha = Image.fromarray(rng.integers(0, 256, (9, 7, 4), dtype=np.uint8))
    palette = colours.quantize(8)
    transparent = palette.copy()
    transparent.info["transparency"] = 3
    sideways = colours.copy()
    sideways.getexif()[0x0112] = 6
    return {
        "RGB": (colours, "png"), "RGBA": (alpha, "png"), "LA": (alpha.convert("LA"), "png"),
        "P": (palette, "png"), "P, one transparent": (transparent, "png"), "L": (colours.convert("L"), "png"),
        "1": (colours.convert("1"), "png"), "CMYK": (colours.convert("CMYK"), "tif"),
        "I;16": (Image.fromarray(grey16), "png"), "F": (Image.fromarray(rng.random((9, 7), dtype=np.float32)), "tif"),
        "sideways": (sideways, "png"),
    }  # fmt: skip


@pytest.mark.parametrize("name", pictures())
def test_a_pil_image_is_read_as_its_file_is(tmp_path, name):
    image, suffix = pictures()[name]
    path = tmp_path / f"a.{suffix}"
    image.save(path, exif=image.getexif())
    from_file = open_files([path], shape=None, num_channels=3).load(0)
    with Image.open(path) as opened:
        assert (as_values(opened, Rgb()) == from_file).all()
    before = image.copy()
    assert (as_values(image, Rgb()) == from_file).all()
    assert (image.size, image.mode, image.tobytes()) == (before.size, before.mode, before.tobytes())
    assert from_file.shape == ((7, 9, 3) if name == "sideways" else (9, 7, 3))


def test_a_pil_image_with_values_that_are_no_brightness_says_so():
    for mode, value, words in (("F", 1.5, "run from"), ("I", 70_000, "65535"), ("I", -1, "run from")):
        with pytest.raises(BadInput, match=words):
            as_values(Image.new(mode, (3, 5), value), Rgb())


def test_a_set_that_hands_out_bytes_or_images_is_read_and_one_of_another_range_says_which_signal():
    class Sloppy(MadeUpSignals):
        def load(self, index):
            return (BYTES, Image.fromarray(BYTES), 255 * UNIT)[index]

    signals = Sloppy(3)
    for index in (0, 1):
        assert (load_values(signals, index, Rgb()) == UNIT).all()
    with pytest.raises(UnreadableSignal, match="signal-2: expected rgb values from 0 to 1, but they run from 0 to 255"):
        load_values(signals, 2, Rgb())
