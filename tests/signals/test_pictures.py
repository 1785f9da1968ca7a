import numpy as np
import pytest
from PIL import Image

from sparsine.errors import BadInput, WorkFailed
from sparsine.signals import error_picture, save_picture, side_by_side, to_picture

REFUSALS = (BadInput, TypeError)  # where annotations are checked, the checker refuses a wrong type first


def test_rgb_is_clamped_and_rounded():
    values = np.array([[[-0.5, 0.2, 1.5], [0.5, 1.0, 0.0]]], dtype=np.float32)
    assert to_picture(values, "rgb").tolist() == [[[0, 51, 255], [128, 255, 0]]]


def test_grey_is_replicated():
    values = np.array([[[0.2]], [[0.6]], [[2.0]]], dtype=np.float32)
    assert to_picture(values, "grey").tolist() == [[[51] * 3], [[153] * 3], [[255] * 3]]


def test_a_distance_field_is_blue_inside_orange_outside_and_dark_at_zero():
    values = np.linspace(-0.75, 0.75, 151, dtype=np.float32)[None, :, None].repeat(5, axis=0)
    picture = to_picture(values, "distance").astype(int)
    assert picture.shape == (5, 151, 3)
    assert picture[2, 4, 2] > picture[2, 4, 0] + 40
    assert picture[2, 146, 0] > picture[2, 146, 2] + 40
    assert picture[2, 75].max() < 40


def test_a_magnified_part_of_a_distance_field_has_lines_of_its_own_width():
    values = np.linspace(-0.75, 0.75, 1501, dtype=np.float32)[None, :, None].repeat(2, axis=0)
    whole, part = to_picture(values, "distance", sample_width=0.001), values[:, 700:801]
    assert (to_picture(part, "distance", sample_width=0.001) == whole[:, 700:801]).all()
    dark = (to_picture(part, "distance", sample_width=0.001)[0].max(axis=1) < 60).sum()
    assert 1 <= dark <= 3
    assert (to_picture(part, "distance")[0].max(axis=1) < 60).sum() > 9


def test_samples_that_are_not_finite_stand_out():
    values = np.full((5, 3, 3), 0.5, dtype=np.float32)
    values[3, 1, 2] = np.nan
    picture = to_picture(values, "rgb")
    assert picture[3, 1].tolist() == [255, 0, 255]
    assert (picture != 128).any(axis=2).sum() == 1


def test_a_kind_that_does_not_fit_is_refused():
    for values, kind in ((np.zeros((5, 3, 1)), "rgb"), (np.zeros((5, 3)), "grey"), (np.zeros((5, 3, 1)), "sound")):
        with pytest.raises(REFUSALS):
            to_picture(values, kind)


def test_errors_get_brighter_up_to_a_quarter():
    original = np.full((1, 5, 3), 0.5, dtype=np.float32)
    fitted = original + np.array([0.0, -0.1, 0.2, 0.25, np.nan], dtype=np.float32)[None, :, None]
    brightness = error_picture(original, fitted).astype(int).sum(axis=2)[0]
    assert brightness[0] == 4
    assert (np.diff(brightness[:4]) > 0).all()
    assert brightness[3] == brightness[4] == 252 + 253 + 191
    assert (error_picture(original, original + 7) == error_picture(original, original - 0.25)).all()


def test_errors_are_averaged_over_channels():
    original, fitted = np.zeros((5, 3, 3)), np.zeros((5, 3, 3))
    fitted[..., 0] = 0.3
    assert (error_picture(original, fitted) == error_picture(original[..., :1], np.full((5, 3, 1), 0.1))).all()
    with pytest.raises(REFUSALS):
        error_picture(original, fitted[:4])


def test_pictures_stand_side_by_side_with_white_between():
    red, blue = np.full((2, 1, 3), (255, 0, 0), np.uint8), np.full((1, 3, 3), (0, 0, 255), np.uint8)
    row = side_by_side([red, blue], gap=3, scale=2)
    assert row.shape == (4, 2 + 3 + 6, 3)
    assert (row[:, :2] == (255, 0, 0)).all()
    assert (row[:, 2:5] == 255).all()
    assert (row[:2, 5:] == (0, 0, 255)).all()
    assert (row[2:, 5:] == 255).all()


def test_senseless_rows_are_refused():
    picture = np.zeros((5, 3, 3), np.uint8)
    for pictures, gap, scale in (([], 4, 1), ([picture], -1, 1), ([picture], 4, 0), ([picture * 1.0], 4, 1)):
        with pytest.raises(REFUSALS):
            side_by_side(pictures, gap=gap, scale=scale)


def test_a_saved_picture_is_the_same_when_read(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 3, 3), dtype=np.uint8)
    save_picture(tmp_path / "new" / "a.png", picture)
    with Image.open(tmp_path / "new" / "a.png") as image:
        assert image.format == "PNG"
        assert (np.asarray(image) == picture).all()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.png"]
    with pytest.raises(WorkFailed):
        save_picture(tmp_path / "new" / "a.png" / "b.png", picture)
