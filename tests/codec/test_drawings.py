"""Folders of codes become folders of pictures; a bad code among the good ones changes nothing."""

import errno
import os

import numpy as np
import pytest
from codec_problems import calibrated, make_start, moved
from PIL import Image

import sparsine.codec.files.draw_work as draw_work
import sparsine.codec.files.drawn as drawn_module
import sparsine.storage as storage
from sparsine import checks
from sparsine.codec import Coder, FittedField, decode
from sparsine.codec.files.code_files import list_codes
from sparsine.codec.files.drawings import decode_collection
from sparsine.errors import BadInput, WorkFailed
from sparsine.fitting.view import View
from sparsine.folders import locked
from sparsine.memory import Room
from sparsine.signals import to_picture
from sparsine.signals.kinds import Rgb

SHAPES = {"a": (5, 3), "b": (4, 7), "c": (2, 9)}


@pytest.fixture
def codes(tmp_path):
    """Three codes of the start `calibrated()`, of three sizes."""
    folder = tmp_path / "codes"
    folder.mkdir()
    start = calibrated()
    for seed, (name, shape) in enumerate(SHAPES.items()):
        (folder / f"{name}.spn").write_bytes(Coder(start).write(moved(start, seed), shape))
    return folder


def drawn(codes, out, view=None, start=None, **options):
    found = decode_collection(start or calibrated(), list_codes([codes])[0], out, view, **options)
    return {one.input: one for one in found}


def picture_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    ("view", "shapes"),
    [(View(), list(SHAPES.values())), (View(size=(6, 11)), [(6, 11)] * 3),
     (View(scale=2.5), [(12, 8), (10, 18), (5, 22)]),
     (View(region=(0.25, 0, 0.75, 1), scale=8), [(20, 24), (16, 56), (8, 72)]),
     (View(region=(0.1, 0.2, 0.3, 0.9), size=(9, 2)), [(9, 2)] * 3)],
)  # fmt: skip
def test_pictures_are_what_the_field_draws(tmp_path, codes, view, shapes):
    told = drawn(codes, tmp_path / "out", view)
    assert [one.status for one in told.values()] == ["ok"] * 3
    for (name, one), shape in zip(told.items(), shapes, strict=True):
        field = decode(calibrated(), (codes / name).read_bytes())
        expected = to_picture(field.render(shape, view.region), "rgb")
        assert one.shape == shape == expected.shape[:2]
        assert np.array_equal(picture_of(tmp_path / "out" / one.picture), expected)
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.png", "b.png", "c.png"]


def test_bad_codes_are_reported_and_the_good_ones_drawn(tmp_path, codes):
    data = (codes / "b.spn").read_bytes()
    other = make_start(seed=3)
    bad = {"cut": data[:-4], "flipped": data[:40] + bytes([data[40] ^ 1]) + data[41:], "empty": b"",
           "long": data + b"\0", "huge": data + bytes(1 << 20), "text": b"no code",
           "other": Coder(other).write(other.theta, (3, 4))}  # fmt: skip
    for name, content in bad.items():
        (codes / f"{name}.spn").write_bytes(content)
    (codes / "lost.spn").symlink_to(codes / "nowhere")
    told = drawn(codes, tmp_path / "out")
    wrong = {name.removesuffix(".spn"): one for name, one in told.items() if one.status != "ok"}
    assert set(wrong) == {*bad, "lost"}
    assert {one.status for one in wrong.values()} == {"bad"}
    assert all("\n" not in one.reason and one.picture is None for one in wrong.values())
    assert "belongs to the start" in wrong["other"].reason
    assert "more than" in wrong["huge"].reason
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["a.png", "b.png", "c.png"]


def test_a_folder_or_a_missing_file_in_the_place_of_a_code_is_reported(tmp_path, codes):
    (codes / "dir.spn").mkdir()
    given = {
        "dir.spn": codes / "dir.spn",
        "gone.spn": codes / "gone.spn",
        "nul": codes / "a\0b",
        "a.spn": codes / "a.spn",
    }
    told = list(decode_collection(calibrated(), given, tmp_path / "out"))
    assert [one.status for one in told] == ["bad", "bad", "bad", "ok"]


def test_what_is_drawn_is_kept_and_what_is_damaged_drawn_again(tmp_path, codes):
    drawn(codes, tmp_path / "out")
    whole = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.png")}
    (tmp_path / "out" / "b.png").write_bytes(whole["b.png"][:-5])
    told = drawn(codes, tmp_path / "out")
    assert [one.kept for one in told.values()] == [True, False, True]
    assert [one.shape for one in told.values()] == list(SHAPES.values())
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.png")} == whole


def test_the_drawing_of_another_code_is_not_replaced_unless_that_is_said(tmp_path, codes):
    drawn(codes, tmp_path / "out")
    before = (tmp_path / "out" / "a.png").read_bytes()
    (codes / "a.spn").write_bytes((codes / "b.spn").read_bytes())
    assert [one.status for one in drawn(codes, tmp_path / "out").values()] == ["changed", "ok", "ok"]
    assert (tmp_path / "out" / "a.png").read_bytes() == before
    assert [one.kept for one in drawn(codes, tmp_path / "out", overwrite=True).values()] == [False, True, True]
    assert (tmp_path / "out" / "a.png").read_bytes() == (tmp_path / "out" / "b.png").read_bytes()


def test_another_view_into_the_same_folder_is_refused(tmp_path, codes):
    drawn(codes, tmp_path / "out")
    with pytest.raises(BadInput, match="scale was null, now 2"):
        drawn(codes, tmp_path / "out", View(scale=2))
    with pytest.raises(BadInput, match="holds files already"):
        drawn(codes, codes)


def test_codes_of_a_folder_in_a_folder_have_pictures_of_their_own(tmp_path, codes):
    (codes / "deep" / "er").mkdir(parents=True)
    (codes / ".hidden").mkdir()
    for name in ("request.json", "journal.jsonl"):  # as `encode --out codes/deep` leaves them
        (codes / "deep" / name).touch()
    for place in ("deep", "deep/er", ".hidden"):
        (codes / place / "a.spn").write_bytes((codes / "c.spn").read_bytes())
    told = drawn(codes, tmp_path / "out")
    assert sorted(told) == ["a.spn", "b.spn", "c.spn", "deep/a.spn", "deep/er/a.spn"]
    assert {path.name for path in (tmp_path / "out").rglob("*.png")} == {one.picture for one in told.values()}
    assert {one.picture for one in told.values()} == {"a.png", "b.png", "c.png", "deep_a.png", "deep_er_a.png"}


def test_lists_of_codes_that_make_no_sense_are_refused(tmp_path, codes):
    with pytest.raises(BadInput, match="no code file was given"):
        list_codes([])
    with pytest.raises(BadInput, match="given twice"):
        list_codes([codes, codes / "a.spn", codes / "a.spn"])
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match="holds no code"):
        list_codes([tmp_path / "none"])
    assert len(list_codes([codes, tmp_path / "a.spn"])[0]) == 4  # one short name twice: whole paths


@pytest.mark.parametrize(
    "wrong",
    [dict(size=(3, 4), scale=2.0), dict(size=(0, 3)), dict(size=(3, 16_385)), dict(scale=0.0), dict(scale=-1.0),
     dict(scale=float("nan")), dict(scale=float("inf")), dict(region=(0, 0, 0, 1)), dict(region=(0.5, 0, 0.2, 1)),
     dict(region=(0, 0, 1, 1.1)), dict(region=(-0.1, 0, 1, 1)), dict(region=(0, 0, float("nan"), 1)),
     dict(region=(0, 1, 1))],
)  # fmt: skip
def test_a_view_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(BadInput):
        View(**wrong)


def test_sound_may_be_drawn_longer_than_a_picture_is_wide(tmp_path, codes):
    assert View(size=(44_100,)).shape((4000,)) == (44_100,)
    assert View(scale=5.5125).shape((8000,)) == (44_100,)
    with pytest.raises(BadInput, match="at most 268435456 along an axis"):
        View(scale=1e6).shape((8000,))
    for size in ((44_100,), (5, 6, 7)):
        with pytest.raises(BadInput):
            drawn(codes, tmp_path / "out", View(size=size))


def test_a_drawing_that_is_too_large_is_a_bad_code_and_not_the_end(tmp_path, codes):
    told = drawn(codes, tmp_path / "out", View(scale=9_000))
    assert [one.status for one in told.values()] == ["bad"] * 3
    assert all("smaller scale" in one.reason for one in told.values())
    assert View(scale=1e-9).shape((5, 3)) == (1, 1)


def test_a_full_disk_ends_the_work(tmp_path, codes, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        calls, real = iter(range(99)), os.fsync
        patch.setattr(storage.os, "fsync", lambda descriptor: (full if next(calls) > 3 else real)(descriptor))
        with pytest.raises(WorkFailed, match="No space left"):
            drawn(codes, tmp_path / "out")
    assert {one.status for one in drawn(codes, tmp_path / "out").values()} == {"ok"}


def test_two_processes_cannot_draw_into_one_folder(tmp_path, codes):
    with locked(tmp_path / "out"), pytest.raises(BadInput, match="another process"):
        drawn(codes, tmp_path / "out")


def test_starts_that_draw_no_pictures_and_engines_that_do_not_exist_are_refused_first(tmp_path, codes):
    with pytest.raises(BadInput, match="unknown engine"):
        drawn(codes, tmp_path / "out", engine="fast")
    with pytest.raises(BadInput, match="grey"):
        drawn(codes, tmp_path / "out", start=make_start(sizes=(2, 5, 2)))
    assert not (tmp_path / "out").exists()


def test_a_drawing_that_memory_cannot_hold_is_a_bad_code_and_the_others_are_drawn(tmp_path, codes, monkeypatch):
    start = calibrated()
    (codes / "a_big.spn").write_bytes(Coder(start).write(moved(start), (9000, 9000)))
    monkeypatch.setattr(checks, "free_memory", lambda: Room(1 << 20, "its control group leaves"))
    told = drawn(codes, tmp_path / "out")
    assert [one.status for one in told.values()] == ["ok", "bad", "ok", "ok"]
    assert "the drawing would need about 1.5 GiB of memory, but its control group leaves" in told["a_big.spn"].reason


@pytest.mark.parametrize("where", ["draw", "write", "decode"])
def test_what_memory_refuses_is_the_status_of_its_code_alone(tmp_path, codes, monkeypatch, where):
    home, name = {"draw": (FittedField, "render"), "write": (Rgb, "write"), "decode": (drawn_module, "decode")}[where]
    real, refused = getattr(home, name), []

    def refuse_the_first(*args, **options):
        if not refused:
            refused.append(True)
            raise MemoryError
        return real(*args, **options)

    monkeypatch.setattr(home, name, refuse_the_first)
    told = drawn(codes, tmp_path / "out")
    assert sorted(one.status for one in told.values()) == ["bad", "ok", "ok"]
    assert "there was not enough memory to" in next(one.reason for one in told.values() if one.status == "bad")


def test_drawings_that_wait_to_be_written_are_few_where_they_are_large(tmp_path, codes, monkeypatch):
    monkeypatch.setattr(draw_work, "VALUES_WAITING", 100)  # "b" has 84 values, "c" 54, "a" 45
    held, most, real = [], [0], FittedField.render

    def render(self, *args, **options):
        values = real(self, *args, **options)
        held.append(values.size)
        most[0] = max(most[0], sum(held))
        return values

    def write(self, values, *where):
        data = real_write(self, values, *where)
        held.remove(values.size)
        return data

    real_write = Rgb.write
    monkeypatch.setattr(FittedField, "render", render)
    monkeypatch.setattr(Rgb, "write", write)
    assert {one.status for one in drawn(codes, tmp_path / "out").values()} == {"ok"}
    assert most[0] <= 100
