import xml.etree.ElementTree as ET

import numpy as np
import pytest
from fabricated import record, save_pictures, signal
from PIL import Image

from sparsine.errors import BadInput
from sparsine.report.contact_sheet import GAP
from sparsine.report.run.figures import save_summary_figure
from sparsine.report.run.gallery import save_gallery


def test_a_summary_grows_by_a_panel_a_record(tmp_path):
    pytest.importorskip("matplotlib")
    save_summary_figure([("one", record())], tmp_path / "one.png")
    save_summary_figure([("one", record()), ("two", record(num_rounds=9))], tmp_path / "two.png")
    sizes = []
    for name in ("one.png", "two.png"):
        with Image.open(tmp_path / name) as image:
            sizes.append(image.size)
            assert len(np.unique(np.asarray(image.convert("L")))) > 20
    assert sizes[0][1] == sizes[1][1] > 500
    assert sizes[1][0] > 1.7 * sizes[0][0]


def test_a_summary_as_svg_is_the_same_bytes_every_time(tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg"):
        save_summary_figure([("faces & <curves>", record())], tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")


def test_a_summary_survives_one_round_and_rows_without_a_good_signal(tmp_path):
    pytest.importorskip("matplotlib")
    empty = record(num_rounds=2)
    for row in empty["rows"]:
        row |= {"signals": [signal("bad.jpg", None, status="unreadable")], "mean_psnr_db": []}
    save_summary_figure([("one round", record(num_rounds=1)), ("nothing", empty)], tmp_path / "odd.png")
    with Image.open(tmp_path / "odd.png") as image:
        assert image.size[0] > 1000


def test_a_summary_of_nothing_is_refused(tmp_path):
    with pytest.raises(BadInput, match="at least one"):
        save_summary_figure([], tmp_path / "none.png")


def test_gallery_pictures_are_enlarged_by_a_whole_number_in_their_order(tmp_path):
    evaluation = record(num_rounds=6)
    save_pictures(tmp_path, evaluation, size=(7, 5))
    save_gallery(tmp_path, evaluation, tmp_path / "gallery.png", columns=5)
    with Image.open(tmp_path / "gallery.png") as image:
        values = np.asarray(image.convert("RGB"))
    width, height = 7 * 26, 5 * 26
    assert values.shape[1] == GAP + 5 * (width + GAP)
    # original, scratch, and of six starts the first, the middle and the last (see save_pictures for the colours)
    for column, index in enumerate([0, 1, 2, 4, 7]):
        for line in range(2):
            found = (values == (20 + 10 * index, 40 + 90 * line, 77)).all(axis=2)
            assert found.sum() == width * height
            assert np.flatnonzero(found.any(axis=0))[0] == GAP + column * (width + GAP)
    for corner in (values[0, 0], values[-1, -1]):
        assert corner.tolist() == [255, 255, 255]


def test_gallery_pixels_are_not_blended(tmp_path):
    evaluation = record(num_rounds=2)
    save_pictures(tmp_path, evaluation, size=(7, 5))
    board = np.zeros((5, 7, 3), dtype=np.uint8)
    board[::2, ::2] = (0, 255, 0)
    Image.fromarray(board).save(tmp_path / "evaluation/pictures/original-0.png")
    save_gallery(tmp_path, evaluation, tmp_path / "gallery.png")
    with Image.open(tmp_path / "gallery.png") as image:
        values = np.asarray(image.convert("RGB")).astype(int)
    greenish = values[(values[:, :, 1] > values[:, :, 0] + 60) & (values[:, :, 2] == 0)]
    assert len(greenish) == 12 * 26 * 26
    assert {tuple(value) for value in greenish.tolist()} == {(0, 255, 0)}


def test_a_gallery_leaves_a_blank_for_a_missing_picture(tmp_path):
    evaluation = record(num_rounds=2)
    save_pictures(tmp_path, evaluation)
    (tmp_path / "evaluation/pictures/original-0.png").unlink()
    save_gallery(tmp_path, evaluation, tmp_path / "gallery.png")
    with Image.open(tmp_path / "gallery.png") as image:
        assert image.size[0] > 4 * 170


def test_a_gallery_without_pictures_or_with_too_few_columns_is_refused(tmp_path):
    with pytest.raises(BadInput, match="holds no pictures"):
        save_gallery(tmp_path, record(), tmp_path / "gallery.png")
    with pytest.raises(BadInput, match="at least 3"):
        save_gallery(tmp_path, record(), tmp_path / "gallery.png", columns=2)
