import io
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from sparsine import checks
from sparsine.errors import UnreadableSignal
from sparsine.memory import Room
from sparsine.signals import decode, formats, open_files
from sparsine.signals.decode import image_values, read_image, read_size, to_values


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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_has_the_size_that_its_header_says_upright(tmp_path, orientation):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = orientation
    Image.fromarray(colours()).save(tmp_path / "a.tif", tiffinfo=tags)
    Image.fromarray(colours()).save(tmp_path / "a.png", exif=exif_of(orientation))
    assert (values_of(tmp_path / "a.tif") == values_of(tmp_path / "a.png")).all()
    assert read_size(tmp_path / "a.tif") == values_of(tmp_path / "a.tif").shape[:2]


@pytest.mark.parametrize("kind", [b"eXIf", b"zTXt"])
def test_an_orientation_that_comes_after_the_pixels_of_a_png_counts(tmp_path, kind):
    whole = io.BytesIO()
    Image.fromarray(colours()).save(whole, format="PNG", exif=exif_of(6))
    pieces = chunks(whole.getvalue())
    (late,) = [piece for piece in pieces if piece[4:8] == b"eXIf"]
    if kind == b"zTXt":  # as ImageMagick writes it
        text = b"\nexif\n%8d\n%s\n" % (len(late) - 12 + 6, (b"Exif\0\0" + late[8:-4]).hex().encode())
        late = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    rest = [piece for piece in pieces if piece[4:8] != b"eXIf"]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join([*rest[:-1], late, rest[-1]]))
    assert read_size(tmp_path / "a.png") == values_of(tmp_path / "a.png").shape[:2] == (3, 5)


def test_the_size_of_a_png_is_read_without_its_pixels(tmp_path, monkeypatch):
    Image.fromarray(colours()).save(tmp_path / "a.png", exif=exif_of(6))
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda self: pytest.fail("it was decoded"))
    assert read_size(tmp_path / "a.png") == (3, 5)


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(png):
    found, at = [], 8
    while at < len(png):
        length = 12 + int.from_bytes(png[at : at + 4], "big")
        found.append(png[at : at + length])
        at += length
    return found


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


def of_many_modes():
    rng = np.random.default_rng(4)
    rgb, alpha = (Image.fromarray(rng.integers(0, 256, (9, 7, n), dtype=np.uint8)) for n in (3, 4))
    palette = rgb.quantize(8)
    transparent = palette.copy()
    transparent.info["transparency"] = 3
    return {
        "RGB": rgb, "RGBA": alpha, "LA": alpha.convert("LA"), "P": palette, "P, one transparent": transparent,
        "1": rgb.convert("1"), "L": rgb.convert("L"), "CMYK": rgb.convert("CMYK"), "YCbCr": rgb.convert("YCbCr"),
        "I;16": Image.fromarray(rng.integers(0, 65536, (9, 7), dtype=np.uint16)),
        "I": Image.fromarray(rng.integers(0, 65536, (9, 7), dtype=np.int32)),
        "F": Image.fromarray(rng.random((9, 7), dtype=np.float32)),
    }  # fmt: skip


@pytest.mark.parametrize("mode", of_many_modes())
def test_what_is_converted_in_bands_is_what_would_be_converted_at_once(monkeypatch, mode):
    whole = image_values(of_many_modes()[mode])
    monkeypatch.setattr(decode, "_BAND", 17)  # two rows at a time, and at last one
    assert (image_values(of_many_modes()[mode]) == whole).all()


def test_a_value_that_is_no_brightness_is_seen_in_any_band(monkeypatch):
    monkeypatch.setattr(decode, "_BAND", 17)
    for row, value, words in ((8, 1.5, "from 0.0 to 1.5"), (0, -1.0, "from -1.0 to 0.0"), (3, np.nan, "not finite")):
        values = np.zeros((9, 7), np.float32)
        values[row, 2] = value
        with pytest.raises(UnreadableSignal, match=words):
            image_values(Image.fromarray(values))


def test_a_limit_of_pillows_that_nobody_chose_is_not_ours(tmp_path, monkeypatch):
    Image.fromarray(colours()).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)  # Pillow itself would raise from 11 pixels on
    monkeypatch.setattr(decode, "_PILLOWS_LIMIT", 5)
    assert values_of(tmp_path / "a.png").shape == (5, 3, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert values_of(tmp_path / "a.png").shape == (5, 3, 3)
    monkeypatch.setattr(decode, "MAX_PIXELS", 14)
    assert "more than the 14 allowed" in reason(tmp_path / "a.png")


def test_an_image_that_memory_does_not_hold_is_unreadable(tmp_path, monkeypatch):
    Image.fromarray(colours()).save(tmp_path / "a.png")
    monkeypatch.setattr(checks, "free_memory", lambda: Room(15 * decode.BYTES_PER_PIXEL - 1, "this test leaves"))
    assert "reading its 5 x 3 pixels would need" in reason(tmp_path / "a.png")
    assert read_size(tmp_path / "a.png") == (5, 3)
    monkeypatch.setattr(checks, "free_memory", lambda: Room(15 * decode.BYTES_PER_PIXEL, "this test leaves"))
    assert values_of(tmp_path / "a.png").shape == (5, 3, 3)

    def refused(*_):
        raise MemoryError

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refused)
    assert "not enough memory" in reason(tmp_path / "a.png")


@pytest.mark.parametrize(("large", "together"), [(15, 1), (16, 2)])
def test_of_large_images_one_at_a_time_is_decoded(tmp_path, monkeypatch, large, together):
    Image.fromarray(colours()).save(tmp_path / "a.png")
    inside, most, both = [], [0], threading.Barrier(together)

    def convert(image):
        inside.append(image)
        most[0] = max(most[0], len(inside))
        both.wait(timeout=60)
        inside.remove(image)
        return image

    monkeypatch.setattr(decode, "LARGE", large)
    monkeypatch.setattr(decode, "_as_rgb_or_float", convert)
    threads = [threading.Thread(target=read_image, args=(tmp_path / "a.png",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [together]


@pytest.mark.skipif(not formats._is_here("AVIF"), reason="this Pillow reads no AVIF")
@pytest.mark.parametrize("orientation", [1, 6])
def test_avif_is_read_where_pillow_reads_it(tmp_path, orientation):
    Image.new("RGB", (30, 20), (200, 100, 50)).save(tmp_path / "a.avif", quality=90, exif=exif_of(orientation))
    values = values_of(tmp_path / "a.avif")
    assert np.allclose(values, np.array([200, 100, 50]) / 255, atol=0.03)
    assert read_size(tmp_path / "a.avif") == values.shape[:2] == ((30, 20) if orientation == 6 else (20, 30))


@pytest.mark.parametrize("name", ["a.heic", "a.jpg"])  # phones and programs rename them
def test_heic_is_read_where_its_reader_is_there(tmp_path, name):
    reader = pytest.importorskip("pillow_heif")
    picture = Image.new("RGB", (30, 20), (200, 100, 50))
    picture.paste((20, 200, 250), (0, 0, 15, 20))
    reader.from_pillow(picture).save(tmp_path / name, quality=90)
    values = values_of(tmp_path / name)
    assert read_size(tmp_path / name) == values.shape[:2] == (20, 30)
    assert np.allclose(values[10, 25], np.array([200, 100, 50]) / 255, atol=0.05)
    assert np.allclose(values[10, 5], np.array([20, 200, 250]) / 255, atol=0.05)


def test_without_its_reader_a_kind_of_files_is_not_taken_and_it_is_said_what_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "_is_here", lambda name: name not in ("AVIF", "HEIF"))
    assert not formats.readable_suffixes() & {".avif", ".heic", ".heif"}
    assert formats.names_of_formats() == "PNG, JPEG, WebP, TIFF or BMP"
    assert formats.what_reads(".heic") == "pip install 'sparsine[heic]'"
    assert "Pillow 11.3" in formats.what_reads(".avif")
    assert formats.what_reads(".png") == formats.what_reads(".txt") == ""


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
