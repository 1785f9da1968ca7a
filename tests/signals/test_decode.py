import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparsine.errors import UnreadableSignal
from sparsine.signals import open_files
from sparsine.signals.decode import read_image, read_size, to_values


def colours(rows=5, columns=3):
    return np.random.default_rng(0).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def values_of(path):
    values = to_values(read_image(path))
    assert values.dtype == np.float32
    assert values.flags.c_contiguous
    assert values.shape[2] == 3
    return values


def reason(path):
    with pytest.raises(UnreadableSignal) as caught:
        read_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp", "PNG"])
def test_lossless_colours_are_kept(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(colours()).save(path)
    assert (values_of(path) == colours().astype(np.float32) / 255).all()
    assert read_size(path) == (5, 3)


def test_lossy_formats_are_read(tmp_path):
    for name in ("a.jpg", "a.webp"):
        Image.new("RGB", (3, 5), (200, 100, 50)).save(tmp_path / name, quality=100)
        assert np.allclose(values_of(tmp_path / name), np.array([200, 100, 50]) / 255, atol=0.02)


def test_of_several_frames_the_first_is_read(tmp_path):
    frames = [Image.new("RGB", (3, 5), colour) for colour in ((200, 100, 50), (0, 0, 0))]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=frames[1:])
    for name in ("a.tif", "a.jpg"):
        assert np.allclose(values_of(tmp_path / name), np.array([200, 100, 50]) / 255, atol=0.02)


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.swapaxes(0, 1)),
        (6, lambda a: np.rot90(a, -1)),
        (8, lambda a: np.rot90(a)),
    ],
)
def test_exif_orientation_is_applied(tmp_path, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(colours()).save(tmp_path / "a.png", exif=exif)
    expected = turn(colours())
    assert (values_of(tmp_path / "a.png") == expected.astype(np.float32) / 255).all()
    assert read_size(tmp_path / "a.png") == expected.shape[:2]


def test_a_palette_gives_its_colours(tmp_path):
    image = Image.new("P", (3, 5))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((2, 1), 1)
    image.save(tmp_path / "a.png")
    values = values_of(tmp_path / "a.png") * 255
    assert np.allclose(values[1, 2], [200, 100, 50])
    assert np.allclose(values[0, 0], [10, 20, 30])


def test_a_transparent_palette_colour_becomes_white(tmp_path):
    image = Image.new("P", (3, 5), 1)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((2, 1), 0)
    image.save(tmp_path / "a.png", transparency=0)
    values = values_of(tmp_path / "a.png") * 255
    assert np.allclose(values[1, 2], 255)
    assert np.allclose(values[0, 0], [200, 100, 50])


def test_alpha_is_composited_over_white(tmp_path):
    image = Image.new("RGBA", (3, 5), (100, 0, 200, 51))  # a fifth
    image.save(tmp_path / "a.png")
    expected = 255 - 0.2 * (255 - np.array([100, 0, 200]))
    assert np.allclose(values_of(tmp_path / "a.png") * 255, expected, atol=1.01)
    Image.new("LA", (3, 5), (100, 51)).save(tmp_path / "b.png")
    assert np.allclose(values_of(tmp_path / "b.png") * 255, 255 - 0.2 * 155, atol=1.01)


def test_grey_is_replicated(tmp_path):
    Image.fromarray(colours()[:, :, 0]).save(tmp_path / "a.png")
    assert (values_of(tmp_path / "a.png") == colours()[:, :, :1].astype(np.float32) / 255).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_keeps_its_precision(tmp_path, suffix):
    stored = np.random.default_rng(1).integers(0, 65536, (5, 3), dtype=np.uint16)
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}")
    assert np.allclose(values_of(tmp_path / f"a.{suffix}"), stored[:, :, None] / 65535, atol=1e-7)


def test_a_sixteen_bit_picture_is_resized_in_its_precision(tmp_path):
    Image.fromarray(np.full((9, 7), 12_345, dtype=np.uint16)).save(tmp_path / "a.png")
    signals = open_files([tmp_path / "a.png"], shape=(5, 3), num_channels=3)
    assert np.allclose(signals.load(0), 12_345 / 65535, atol=1e-6)


def test_cmyk_and_one_bit_are_read(tmp_path):
    Image.new("CMYK", (3, 5), (0, 0, 0, 0)).save(tmp_path / "a.jpg")
    assert (values_of(tmp_path / "a.jpg") > 0.98).all()
    Image.new("1", (3, 5), 1).save(tmp_path / "b.png")
    assert (values_of(tmp_path / "b.png") == 1).all()


def test_a_float_tiff_between_zero_and_one_is_read(tmp_path):
    stored = np.random.default_rng(2).random((5, 3), dtype=np.float32)
    Image.fromarray(stored).save(tmp_path / "a.tif")
    assert (values_of(tmp_path / "a.tif") == stored[:, :, None]).all()


@pytest.mark.parametrize(
    ("wrong", "words"), [(np.nan, "not finite"), (np.inf, "not finite"), (1.5, "run from"), (-0.25, "run from")]
)
def test_a_float_tiff_with_other_values_is_unreadable(tmp_path, wrong, words):
    stored = np.full((5, 3), 0.5, dtype=np.float32)
    stored[3, 1] = wrong
    Image.fromarray(stored).save(tmp_path / "a.tif")
    assert words in reason(tmp_path / "a.tif")


def test_broken_files_are_unreadable_and_say_why(tmp_path):
    (tmp_path / "text.png").write_text("this is no image")
    assert "not a PNG" in reason(tmp_path / "text.png")
    (tmp_path / "empty.png").touch()
    assert "empty" in reason(tmp_path / "empty.png")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    assert "1 x 1" in reason(tmp_path / "dot.png")
    Image.fromarray(colours(51, 73)).save(tmp_path / "cut.jpg")
    whole = (tmp_path / "cut.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in reason(tmp_path / "cut.jpg")
    assert "No such file" in reason(tmp_path / "absent.png")
    assert "not a file" in reason(tmp_path)


def test_any_cut_or_flip_gives_an_image_or_a_reason(tmp_path):
    random, path, reasons = np.random.default_rng(3), tmp_path / "a.bin", []
    for suffix in ("png", "jpg", "tif", "webp", "bmp"):
        Image.fromarray(colours(9, 7)).save(tmp_path / f"a.{suffix}")
        whole = np.frombuffer((tmp_path / f"a.{suffix}").read_bytes(), dtype=np.uint8)
        for _ in range(40):
            broken = whole.copy()
            broken[random.integers(0, len(whole), 3)] = random.integers(0, 256, 3)
            path.write_bytes(broken[: random.integers(1, len(whole) + 1)].tobytes())
            try:
                assert np.isfinite(values_of(path)).all()
            except UnreadableSignal as error:
                reasons.append(str(error))
    assert len(reasons) > 50
    assert all(reason.startswith(f"{path}: ") for reason in reasons)


@pytest.mark.parametrize("limit", [14, 7, 5])  # 15 pixels: Pillow warns above its limit and raises above its double
def test_a_decompression_bomb_is_unreadable(tmp_path, monkeypatch, limit):
    Image.fromarray(colours()).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    reason(tmp_path / "a.png")
    with pytest.raises(UnreadableSignal):
        read_size(tmp_path / "a.png")


def test_a_decompression_bomb_is_unreadable_even_where_warnings_are_ignored(tmp_path, monkeypatch):
    Image.fromarray(colours()).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 14)
    read_reason = reason(tmp_path / "a.png")  # now Pillow's own filters are in place
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert "more than the 14 allowed" in reason(tmp_path / "a.png")
    assert "14" in read_reason


def test_warnings_of_others_are_left_alone(tmp_path):
    Image.fromarray(colours()).save(tmp_path / "a.png")
    values_of(tmp_path / "a.png")
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)


def test_a_picture_that_is_no_image_format_of_ours_is_not_opened(tmp_path):
    Image.fromarray(colours()).save(tmp_path / "a.gif")
    Path(tmp_path / "a.gif").rename(tmp_path / "a.png")
    assert "not a PNG" in reason(tmp_path / "a.png")
